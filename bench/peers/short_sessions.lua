-- For sysbench: a session of one query each event, on the table of sysbench's own oltp scripts.
sysbench.cmdline.options = {table_size = {"rows of sbtest1", 10000}, tables = {"not used", 1}}

function thread_init()
    driver = sysbench.sql.driver()
end

function event()
    local session = driver:connect()
    session:query("SELECT c FROM sbtest1 WHERE id = " .. sysbench.rand.default(1, sysbench.opt.table_size))
    session:disconnect()
end
