// Database: statements and their values, transactions, what ends them early, the pool's bounds, own writes.
#include <trilith/database.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>

#include <doctest/doctest.h>

#include "sdk/fake_database.h"
#include "sdk/served_program.h"

namespace trilith::sdk {
namespace {

using namespace std::chrono_literals;
using Way = FakeAnswer::Way;

const std::string kCookieKey(32, 'k');

// A program with handlers for everything that the tests do.
struct Shop {
    explicit Shop(FakeDatabase& fake, Options options = {}, DatabaseOptions chosen = {})
        : database(with_url(std::move(chosen), fake)), app(std::move(options)) {
        app.use(database);
        app.get("/name/{id:int}", [this](Request& request, int64_t id) { return name(request, id); });
        app.get("/count", [this](Request& request) { return count(request); });
        app.post("/save", [this](Request& request) { return save(request); });
        app.post("/buy", [this](Request& request) { return buy(request); });
        app.post("/leave", [this](Request& request) { return leave(request); });
    }

    static DatabaseOptions with_url(DatabaseOptions options, const FakeDatabase& fake) {
        options.url = fake.url();
        return options;
    }

    Task<Response> name(Request& request, int64_t id) {
        Rows rows =
            co_await database.query(request, "SELECT name FROM users WHERE id = ? AND born < ?", id, "x'y");
        std::string text;
        for (Row row : rows) {
            text += row.get<std::string>("name") + ";";
        }
        co_return Response::text(text);
    }

    Task<Response> count(Request& request) {
        Rows rows = co_await database.query(request, "SELECT n FROM counts");
        co_return Response::json(rows.json());
    }

    Task<Response> save(Request& request) {
        try {
            Changed changed = co_await database.execute(request, "INSERT INTO users SET name = ?", "Ada");
            co_return Response::text("id " + std::to_string(changed.last_id));
        } catch (const DatabaseError& error) {
            co_return Response::text(
                std::to_string(error.number()) + " " + std::string(error.sqlstate()) + " " +
                std::to_string(static_cast<int>(error.kind()))
            );
        }
    }

    Task<Response> buy(Request& request) {
        Transaction transaction = co_await database.begin(request);
        co_await transaction.execute("UPDATE stock SET n = n - 1");
        co_await transaction.commit();
        bought.set_value();
        co_return Response::text("bought");
    }

    Task<Response> leave(Request& request) {
        Transaction transaction = co_await database.begin(request);
        co_await transaction.execute("UPDATE stock SET n = n - 1");
        throw Refused(409, "changed my mind");
    }

    std::promise<void> bought;
    Database database;
    App app;
};

std::string post(std::string_view path, std::string_view fields = {}) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" +
           std::string(fields) + "\r\n";
}

std::string get(std::string_view path, std::string_view fields) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

constexpr std::string_view kNameText = "SELECT name FROM users WHERE id = ? AND born < ?";
constexpr std::string_view kCountText = "SELECT n FROM counts";
constexpr std::string_view kSaveText = "INSERT INTO users SET name = ?";
constexpr std::string_view kBuyText = "UPDATE stock SET n = n - 1";

TEST_CASE("a statement is prepared once, values travel beside it, rows come back") {
    FakeDatabase fake({{std::string(kNameText), {.packets = fake_texts("name", {"Ada", "<b>"})}}});
    Shop shop(fake);
    ServedProgram served(shop.app);
    Client client(served);
    CHECK(client.get("/name/7").ends_with("Ada;<b>;"));
    CHECK(client.get("/name/8").ends_with("Ada;<b>;"));
    CHECK(fake.count("login") == 1);
    CHECK(fake.count("prepare ") == 1);
    CHECK(fake.count("execute ") == 2);
    std::string sent = fake.sent();
    CHECK(sent.ends_with(std::string("\x08\0\0\0\0\0\0\0\x03x'y", 12)));
    served.end();
}

TEST_CASE("rows become JSON") {
    FakeDatabase fake({{std::string(kCountText), {.packets = fake_numbers("n", {-3, 4})}}});
    Shop shop(fake);
    ServedProgram served(shop.app);
    CHECK(Client(served).get("/count").ends_with(R"([{"n":-3},{"n":4}])"));
}

TEST_CASE("an error has the server's number and SQLSTATE, and the connection goes on") {
    FakeDatabase fake({{std::string(kSaveText), {.packets = fake_error(1062, "23000", "Duplicate entry")}}});
    Shop shop(fake);
    ServedProgram served(shop.app);
    Client client(served);
    CHECK(client.ask(post("/save")).ends_with("1062 23000 0"));
    fake.set_answer(std::string(kSaveText), {.packets = fake_ok()});
    CHECK(client.ask(post("/save")).ends_with("id 9"));
    CHECK(fake.count("login") == 1);
    CHECK(fake.count("prepare ") == 1);
}

TEST_CASE("a connection that was told of a lost primary is not lent again") {
    FakeDatabase fake({{std::string(kSaveText), {.packets = fake_error(2006, "HY000", "no primary")}}});
    Shop shop(fake);
    ServedProgram served(shop.app);
    Client client(served);
    CHECK(client.ask(post("/save")).ends_with("2006 HY000 1"));
    CHECK(is_status(client.ask(post("/leave")), 409));
    CHECK(fake.count("login") == 2);
    fake.set_answer(std::string(kBuyText), {.packets = fake_error(2013, "HY000", "lost")});
    CHECK(is_status(client.ask(post("/leave")), 500));
    CHECK(is_status(client.ask(post("/save")), 200));
    CHECK(fake.count("login") == 3);
}

TEST_CASE("a read is killed at the server when its client leaves") {
    FakeDatabase fake({{std::string(kCountText), {.way = Way::hangs}}});
    Shop shop(fake);
    ServedProgram served(shop.app);
    Client client(served);
    client.send(get("/count", ""));
    fake.await("execute ");
    client.close();
    fake.await("KILL QUERY 101");
}

TEST_CASE("a read is killed at the server when the request's time is over") {
    FakeDatabase fake({{std::string(kCountText), {.way = Way::hangs}}});
    Shop shop(fake, {.handler_time = 200ms});
    ServedProgram served(shop.app);
    CHECK(is_status(Client(served).get("/count"), 503));
    fake.await("KILL QUERY 101");
}

TEST_CASE("a statement has a time of its own") {
    FakeDatabase fake({{std::string(kCountText), {.way = Way::hangs}}});
    Shop shop(fake, {}, {.query_time = 100ms});
    ServedProgram served(shop.app);
    CHECK(is_status(Client(served).get("/count"), 500));
    fake.await("KILL QUERY 101");
    CHECK(served.logged().contains("a handler failed"));
}

TEST_CASE("a write outside of a transaction is waited for, not killed") {
    FakeDatabase fake({{std::string(kSaveText), {.way = Way::hangs}}});
    Shop shop(fake, {.handler_time = 100ms});
    ServedProgram served(shop.app);
    Client client(served);
    client.send(post("/save"));
    fake.await("execute ");
    Client other(served);
    CHECK(is_status(other.get("/healthz"), 200));
    fake.release();
    CHECK(client.read_answer().ends_with("id 9"));
    CHECK(fake.count("KILL") == 0);
}

TEST_CASE("what is sent as text names its request, and what is slow is logged with it") {
    FakeDatabase fake({});
    Shop shop(fake, {}, {.slow_time = 0ms});
    ServedProgram served(shop.app);
    CHECK(is_status(Client(served).ask(post("/buy", "X-Request-Id: the*id\r\n")), 200));
    fake.await("START TRANSACTION /* request=the*id */");
    fake.await("COMMIT /* request=the*id */");
    // Whose comment would end too early is no id.
    CHECK(is_status(Client(served).ask(post("/leave", "X-Request-Id: the*/id\r\n")), 409));
    fake.await("START TRANSACTION /* request=", 2);
    CHECK(fake.count("START TRANSACTION /* request=the*/") == 0);
    const std::string logged = served.logged();  // which ends the program
    CHECK(logged.contains("warn app: a slow statement took "));
    CHECK(logged.contains(" ms: " + std::string(kBuyText) + " request_id=the*id\n"));
}

TEST_CASE("a commit that waits for its acknowledgement is never killed") {
    FakeDatabase fake({{"COMMIT", {.way = Way::hangs, .packets = fake_ok("0-1-5")}}});
    Shop shop(fake);
    ServedProgram served(shop.app);
    Client client(served);
    client.send(post("/buy"));
    fake.await("COMMIT");
    client.close();
    // Another request is served meanwhile, so the leaving has been seen when this one is answered.
    CHECK(is_status(Client(served).ask(post("/save")), 200));
    fake.release();
    CHECK(
        shop.bought.get_future().wait_for(std::chrono::seconds(kPatienceSeconds)) == std::future_status::ready
    );
    CHECK(fake.count("KILL") == 0);
    CHECK(fake.count("ROLLBACK") == 0);
}

TEST_CASE("a statement within a transaction is killed") {
    FakeDatabase fake({{std::string(kBuyText), {.way = Way::hangs}}});
    Shop shop(fake);
    ServedProgram served(shop.app);
    Client client(served);
    client.send(post("/buy"));
    fake.await("execute ");
    client.close();
    fake.await("KILL QUERY 101");
    CHECK(fake.count("COMMIT") == 0);
}

TEST_CASE("a transaction that is left without a commit is rolled back") {
    FakeDatabase fake({});
    Shop shop(fake);
    ServedProgram served(shop.app);
    CHECK(is_status(Client(served).ask(post("/leave")), 409));
    fake.await("ROLLBACK");
    CHECK(fake.count("COMMIT") == 0);
    CHECK(is_status(Client(served).ask(post("/save")), 200));
    CHECK(fake.count("login") == 1);
}

TEST_CASE("a read whose connection has broken runs again, a write does not") {
    FakeDatabase fake({{std::string(kCountText), {.packets = fake_numbers("n", {1})}}});
    Shop shop(fake);
    ServedProgram served(shop.app);
    Client client(served);
    CHECK(is_status(client.get("/count"), 200));
    fake.close_connections();
    CHECK(is_status(client.get("/count"), 200));
    CHECK(is_status(client.ask(post("/save")), 200));
    fake.set_answer(std::string(kSaveText), {.way = Way::breaks});
    size_t before = fake.count("execute " + std::string(kSaveText));
    CHECK(client.ask(post("/save")).ends_with("0  2"));  // lost
    CHECK(fake.count("execute " + std::string(kSaveText)) == before + 1);
    CHECK(is_status(client.get("/count"), 200));
    fake.set_answer(std::string(kCountText), {.way = Way::breaks});
    CHECK(is_status(client.get("/count"), 500));
    // Once on the connection that was used before, once on a new one.
    CHECK(fake.count("execute " + std::string(kCountText)) == 5);
}

TEST_CASE("without a place in the pool and its queue a request is refused") {
    FakeDatabase fake({{std::string(kCountText), {.way = Way::hangs, .packets = fake_numbers("n", {1})}}});
    Shop shop(fake, {}, {.connections_max = 1, .queue_max = 0});
    ServedProgram served(shop.app);
    Client first(served);
    first.send(get("/count", ""));
    fake.await("execute ");
    CHECK(is_status(Client(served).get("/count"), 503));
    fake.release();
    CHECK(is_status(first.read_answer(), 200));
}

TEST_CASE("a place in the queue has its time") {
    FakeDatabase fake({{std::string(kCountText), {.way = Way::hangs, .packets = fake_numbers("n", {1})}}});
    Shop shop(fake, {}, {.connections_max = 1, .queue_time = 50ms});
    ServedProgram served(shop.app);
    Client first(served);
    first.send(get("/count", ""));
    fake.await("execute ");
    CHECK(is_status(Client(served).get("/count"), 503));
    fake.release();
    CHECK(is_status(first.read_answer(), 200));
    CHECK(is_status(Client(served).ask(post("/save")), 200));
}

TEST_CASE("a connection that becomes free goes to the first who waits") {
    FakeDatabase fake({{std::string(kCountText), {.way = Way::hangs, .packets = fake_numbers("n", {1})}}});
    Shop shop(fake, {}, {.connections_max = 1});
    ServedProgram served(shop.app);
    Client first(served);
    first.send(get("/count", ""));
    fake.await("execute ");
    Client second(served);
    second.send(post("/save"));
    CHECK(is_status(Client(served).get("/healthz"), 200));  // by then the second waits
    CHECK(fake.count("execute ") == 1);
    fake.release();
    CHECK(is_status(first.read_answer(), 200));
    CHECK(is_status(second.read_answer(), 200));
    CHECK(fake.count("login") == 1);
}

TEST_CASE("writes that hang leave connections to reads") {
    FakeDatabase fake(
        {{std::string(kSaveText), {.way = Way::hangs}},
         {std::string(kCountText), {.packets = fake_numbers("n", {1})}}}
    );
    Shop shop(fake, {}, {.connections_max = 4});
    ServedProgram served(shop.app);
    std::vector<std::unique_ptr<Client>> writers;
    for (size_t running = 1; running <= 3; ++running) {
        writers.push_back(std::make_unique<Client>(served));
        writers.back()->send(post("/save"));
        fake.await("execute ", running);
    }
    writers.push_back(std::make_unique<Client>(served));
    writers.back()->send(post("/save"));
    Client reader(served);
    CHECK(is_status(reader.get("/count"), 200));
    CHECK(is_status(reader.get("/count"), 200));
    CHECK(fake.count("execute " + std::string(kSaveText)) == 3);
    fake.release();
    for (auto& writer : writers) {
        CHECK(is_status(writer->read_answer(), 200));
    }
    CHECK(fake.count("login") == 4);
}

TEST_CASE("a server that is not there is a 503") {
    App app;
    Database database({.url = "mysql://app:secret@127.0.0.1:1/shop"});
    app.use(database);
    app.get("/", [&](Request& request) -> Task<Response> {
        Rows rows = co_await database.query(request, "SELECT 1");
        co_return Response::text(std::to_string(rows.size()));
    });
    ServedProgram served(app);
    CHECK(is_status(Client(served).get("/"), 503));
    CHECK(served.logged().contains("the database is not available"));
}

TEST_CASE("more rows than are taken are an error") {
    FakeDatabase fake({{std::string(kCountText), {.packets = fake_numbers("n", {1, 2, 3})}}});
    Shop shop(fake, {}, {.rows_max = 2});
    ServedProgram served(shop.app);
    CHECK(is_status(Client(served).get("/count"), 500));
    CHECK(served.logged().contains("more rows than are taken"));
}

TEST_CASE("a server that does not keep to the protocol is left") {
    std::string out_of_sequence = fake_numbers("n", {1});
    out_of_sequence[3] = 7;
    std::string no_row = fake_numbers("n", {1});
    no_row.resize(no_row.size() - 20);  // into the row's packet: what follows is waited for in vain
    FakeDatabase fake({{std::string(kCountText), {.packets = out_of_sequence}}});
    Shop shop(fake, {}, {.query_time = 200ms});
    ServedProgram served(shop.app);
    Client client(served);
    CHECK(is_status(client.get("/count"), 500));
    fake.set_answer(std::string(kCountText), {.packets = no_row});
    CHECK(is_status(client.get("/count"), 500));
    fake.set_answer(std::string(kCountText), {.packets = fake_numbers("n", {1})});
    CHECK(is_status(client.get("/count"), 200));
    CHECK(fake.count("login") >= 3);
    CHECK(served.logged().contains("a packet out of sequence"));
}

TEST_CASE("a row that is longer than the bound is not taken, one of many packets' size is") {
    std::string long_text(300'000, 'x');
    FakeDatabase fake({{std::string(kNameText), {.packets = fake_texts("name", {long_text, "end"})}}});
    Shop generous(fake);
    ServedProgram first(generous.app);
    CHECK(Client(first).get("/name/1").ends_with(long_text + ";end;"));
    Shop mean(fake, {}, {.bytes_max = 200'000});
    ServedProgram second(mean.app);
    CHECK(is_status(Client(second).get("/name/1"), 500));
    CHECK(second.logged().contains("a longer row than is taken"));
}

TEST_CASE("the statement unused for longest makes room") {
    FakeDatabase fake({{std::string(kCountText), {.packets = fake_numbers("n", {1})}}});
    Shop shop(fake, {}, {.connections_max = 1, .statements_max = 1});
    ServedProgram served(shop.app);
    Client client(served);
    CHECK(is_status(client.get("/count"), 200));
    CHECK(is_status(client.ask(post("/save")), 200));
    CHECK(is_status(client.get("/count"), 200));
    CHECK(fake.count("prepare ") == 3);
    CHECK(fake.count("close") == 2);
}

// The cookie's whole text of an answer: "trilith_position=…".
std::string position_cookie(const std::string& answer) {
    size_t begin = answer.find("trilith_position=");
    return begin == std::string::npos ? "" : answer.substr(begin, answer.find(';', begin) - begin);
}

TEST_CASE("the position of a write travels in a signed cookie to the visitor's next read") {
    FakeDatabase fake(
        {{std::string(kSaveText), {.packets = fake_ok("0-1-41")}},
         {std::string(kCountText), {.packets = fake_numbers("n", {1})}},
         {"COMMIT", {.packets = fake_ok("0-1-42")}}}
    );
    Shop shop(fake, {.cookie_keys = {kCookieKey}});
    ServedProgram served(shop.app);
    Client client(served);
    std::string answer = client.ask(post("/save"));
    std::string cookie = position_cookie(answer);
    REQUIRE_FALSE(cookie.empty());
    CHECK(answer.contains("Max-Age=300"));
    CHECK(is_status(client.get("/count"), 200));
    CHECK(fake.count("SET ") == 0);  // somebody else
    std::string field = "Cookie: " + cookie + "\r\n";
    CHECK(is_status(client.ask(get("/count", field)), 200));
    CHECK(fake.count("SET @trilith_token = '0-1-41'") == 1);
    CHECK(is_status(client.ask(get("/count", field)), 200));
    CHECK(fake.count("SET @trilith_token = '0-1-41'") == 1);  // this connection knows it
    std::string later = position_cookie(client.ask(post("/buy", field)));
    CHECK(is_status(client.ask(get("/count", "Cookie: " + later + "\r\n")), 200));
    CHECK(fake.count("SET @trilith_token = '0-1-42'") == 1);
    CHECK(is_status(client.ask(get("/count", "Cookie: trilith_position=MC0xLTk5.9999999999.AAAA\r\n")), 200));
    CHECK(fake.count("SET ") == 2);  // nobody's
}

TEST_CASE("without keys, or without the cookie's name, no position travels") {
    FakeDatabase fake({{std::string(kSaveText), {.packets = fake_ok("0-1-41")}}});
    Shop keyless(fake);
    ServedProgram first(keyless.app);
    CHECK(position_cookie(Client(first).ask(post("/save"))).empty());
    Shop nameless(fake, {.cookie_keys = {kCookieKey}}, {.position_cookie = ""});
    ServedProgram second(nameless.app);
    CHECK(position_cookie(Client(second).ask(post("/save"))).empty());
}

TEST_CASE("a chore runs again and again, and its failure does not end it") {
    FakeDatabase fake({{std::string(kSaveText), {.packets = fake_error(2006, "HY000", "no primary")}}});
    Shop shop(fake);
    std::atomic<int> runs = 0;
    shop.app.every(1ms, [&](Request& request) -> Task<void> {
        ++runs;
        co_await shop.database.execute(request, "INSERT INTO users SET name = ?", "beat");
    });
    ServedProgram served(shop.app);
    fake.await("execute ", 3);
    CHECK(served.logged().contains("a chore failed: no primary"));
    CHECK(runs >= 3);
}

TEST_CASE("the program stops while a read hangs") {
    FakeDatabase fake({{std::string(kCountText), {.way = Way::hangs}}});
    Shop shop(fake, {.stop_time = 50ms});
    ServedProgram served(shop.app);
    Client client(served);
    client.send(get("/count", ""));
    fake.await("execute ");
    served.end();
    CHECK(fake.count("KILL QUERY 101") == 1);
}

TEST_CASE("a key is made of the password and the purpose") {
    Database one({.url = "mysql://app:secret@127.0.0.1:1/shop"});
    Database same({.url = "mysql://app:secret@127.0.0.2:2/other"});
    Database another({.url = "mysql://app:secreT@127.0.0.1:1/shop"});
    CHECK(one.derive_key("cookies").size() == 64);
    CHECK(one.derive_key("cookies") == same.derive_key("cookies"));
    CHECK(one.derive_key("cookies") != one.derive_key("forms"));
    CHECK(one.derive_key("cookies") != another.derive_key("cookies"));
    CHECK(Database({.url = "mysql://app@127.0.0.1:1/shop"}).derive_key("cookies").empty());
}

TEST_CASE("a database without a URL keeps the program from running") {
    App app;
    Database database({.url = "mysql://nowhere"});
    app.use(database);
    CHECK(app.run() == 2);
}

// Parameters are counted, and reads told from writes, when the program is compiled.
static_assert(detail::count_parameters("SELECT ? FROM a WHERE b = ?") == 2);
static_assert(
    detail::count_parameters("SELECT '?', \"?\", `?` /* ? */ -- ?\n # ?\n , ?, 'a\\'?', 'a''?'") == 1
);
static_assert(detail::is_read_only("  select 1"));
static_assert(detail::is_read_only("(SELECT 1) UNION (SELECT 2)"));
static_assert(detail::is_read_only("WITH a AS (SELECT 1) SELECT * FROM a"));
static_assert(!detail::is_read_only("INSERT INTO a SELECT 1"));
static_assert(!detail::is_read_only("SELECTED"));
static_assert(detail::changes_connection("set @a = 1"));
static_assert(detail::changes_connection(" START TRANSACTION"));
static_assert(!detail::changes_connection("UPDATE a SET b = 1"));
static_assert(!std::is_constructible_v<detail::SqlOf<0>, std::string>);
static_assert(!std::is_constructible_v<detail::SqlOf<0>, std::string_view>);
static_assert(!std::is_constructible_v<detail::SqlOf<0>, const char*>);

}  // namespace
}  // namespace trilith::sdk
