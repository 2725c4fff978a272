// A program with trilith::Database for test_app_database.py: what it can be asked is in main().
#include <trilith/database.h>

#include <cstdlib>
#include <string>

using namespace std::chrono_literals;
using trilith::Database;
using trilith::DatabaseError;
using trilith::Json;
using trilith::Request;
using trilith::Response;
using trilith::Rows;
using trilith::Task;
using trilith::Transaction;

namespace {

trilith::DatabaseOptions bounds() { return {.connections_max = 4, .query_time = 60s}; }

Database database(bounds());

Json told(const DatabaseError& error) {
    return {
        {"number", error.number()},
        {"sqlstate", error.sqlstate()},
        {"kind", static_cast<int>(error.kind())}
    };
}

Task<Response> read_values(Request& request) {
    Rows rows = co_await database.query(request, "SELECT * FROM kinds ORDER BY id");
    co_return Response::json(rows.json());
}

Task<Response> write_values(Request& request) {
    auto changed = co_await database.execute(
        request,
        "INSERT INTO kinds (whole, large, fraction, exact, name, born, at, span, flag) VALUES (?, ?, ?, ?, "
        "?, ?, ?, ?, ?)",
        request.form<int64_t>("whole"),
        request.form<uint64_t>("large"),
        request.form<double>("fraction"),
        request.form("exact"),
        request.form("name"),
        request.form("born"),
        request.form("at"),
        request.form("span"),
        request.form("flag") == "yes"
    );
    co_return Response::json({{"rows", changed.rows}, {"id", changed.last_id}});
}

Task<Response> echo(Request& request) {
    std::string_view text = request.body();
    Rows rows = co_await database.query(request, "SELECT ? AS text", text);
    co_return Response::text(rows[0].get<std::string>(0));
}

Task<Response> note(Request& request, int64_t id) {
    Rows rows = co_await database.query(request, "SELECT n FROM notes WHERE id = ?", id);
    co_return Response::json({{"n", rows[0].get<int64_t>("n")}});
}

Task<Response> write_note(Request& request, int64_t id) {
    co_await database.execute(request, "UPDATE notes SET n = n + 1 WHERE id = ?", id);
    co_return Response::text("");
}

// Takes an id that is there already.
Task<Response> fail(Request& request) {
    try {
        co_await database.execute(request, "INSERT INTO notes VALUES (1, 0)");
    } catch (const DatabaseError& error) {
        co_return Response::json(told(error));
    }
    co_return Response::text("it was taken");
}

Task<Response> sleep(Request& request) {
    Rows rows = co_await database.query(request, "SELECT SLEEP(50)");
    co_return Response::text("slept");
}

Task<Response> leave(Request& request) {
    Transaction transaction = co_await database.begin(request);
    co_await transaction.execute("UPDATE notes SET n = n + 1000 WHERE id = 2");
    if (request.form("how") == "hang") {
        Rows rows = co_await transaction.query("SELECT SLEEP(50)");
    }
    throw trilith::Refused(409, "left");
}

Task<Response> both(Request& request) {
    Transaction transaction = co_await database.begin(request);
    co_await transaction.execute("UPDATE notes SET n = n - 1 WHERE id = 1");
    co_await transaction.execute("UPDATE notes SET n = n + 1 WHERE id = 2");
    co_await transaction.commit();
    co_return Response::text("");
}

}  // namespace

// HANDLER_TIME: milliseconds that a request may take.
int main(int argc, char** argv) {
    const char* time = std::getenv("HANDLER_TIME");
    std::chrono::milliseconds handler_time(time == nullptr ? 40'000 : std::atoi(time));
    trilith::App app({.handler_time = handler_time, .cookie_keys = {database.derive_key("cookies")}});
    app.use(database);
    app.get("/values", read_values);
    app.post("/values", write_values);
    app.post("/echo", echo);
    app.get("/notes/{id:int}", note);
    app.post("/notes/{id:int}", write_note);
    app.post("/fail", fail);
    app.get("/sleep", sleep);
    app.post("/leave", leave);
    app.post("/both", both);
    return app.run(argc, argv);
}
