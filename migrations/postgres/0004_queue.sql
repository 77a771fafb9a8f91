-- The queue in the order in which it is read, for the whole desk, a tier, a customer (or none), and a member of staff.
DROP INDEX tickets_queue;
CREATE INDEX tickets_queue ON tickets (priority, tier_rank, (first_response_due IS NULL), first_response_due, number)
    WHERE status IN ('new', 'open', 'waiting-customer', 'on-hold');
CREATE INDEX tickets_queue_of_tier
    ON tickets (tier, priority, tier_rank, (first_response_due IS NULL), first_response_due, number)
    WHERE status IN ('new', 'open', 'waiting-customer', 'on-hold');
CREATE INDEX tickets_queue_of_customer
    ON tickets (customer_id, priority, tier_rank, (first_response_due IS NULL), first_response_due, number)
    WHERE status IN ('new', 'open', 'waiting-customer', 'on-hold');
CREATE INDEX tickets_by_assignee ON tickets (assignee_id)
    WHERE status IN ('new', 'open', 'waiting-customer', 'on-hold');
