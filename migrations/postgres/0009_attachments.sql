-- What is attached to a mail is kept as blobs. A blob goes when nothing refers to it any more, and
-- moves with its ticket: both ask who refers to it.
CREATE INDEX attachments_by_blob ON attachments (blob_id) WHERE blob_id IS NOT NULL;
CREATE INDEX messages_by_blob ON messages (blob_id) WHERE blob_id IS NOT NULL;
CREATE INDEX inbox_by_blob ON inbox (blob_id) WHERE blob_id IS NOT NULL;
