-- Who handed a mail to us, and who is asked whether its sender is genuine.
ALTER TABLE inbox ADD COLUMN client_ip TEXT;
ALTER TABLE inbox ADD COLUMN client_helo TEXT;
ALTER TABLE inbox ADD COLUMN sender_check TEXT NOT NULL DEFAULT 'authserv_id'
    CHECK (sender_check IN ('authserv_id', 'exchange', 'edge', 'none'));
