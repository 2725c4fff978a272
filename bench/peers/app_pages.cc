// The benchmark's program with a database: one row as JSON; twelve rows and one more, sorted and put into a
// page. peers/pages.php does the same.
#include <trilith/app.h>
#include <trilith/database.h>

#include <algorithm>
#include <string>
#include <vector>

using trilith::Json;
using trilith::Request;
using trilith::Response;
using trilith::Row;
using trilith::Rows;
using trilith::Task;

namespace {

trilith::Database database;

constexpr std::string_view kPage = R"(<!doctype html>
<html><head><title>Fortunes</title></head><body><table><tr><th>id</th><th>message</th></tr>
{{#each fortunes}}<tr><td>{{id}}</td><td>{{message}}</td></tr>
{{/each}}</table></body></html>
)";

struct Fortune {
    int64_t id = 0;
    std::string message{};
};

Task<Response> one(Request& request) {
    int64_t id = request.query<int64_t>("id").value_or(1);
    Rows rows = co_await database.query(request, "SELECT id, message FROM fortune WHERE id = ?", id);
    co_return Response::json(rows[0].json());
}

Task<Response> twelve(Request& request) {
    Rows rows = co_await database.query(request, "SELECT id, message FROM fortune");
    std::vector<Fortune> fortunes;
    for (Row row : rows) {
        fortunes.push_back({.id = row.get<int64_t>(0), .message = row.get<std::string>(1)});
    }
    fortunes.push_back({.id = 0, .message = "Additional fortune added at request time."});
    std::ranges::sort(fortunes, {}, &Fortune::message);
    Json list = Json::array();
    for (Fortune& fortune : fortunes) {
        list.push_back(Json{{"id", fortune.id}, {"message", std::move(fortune.message)}});
    }
    co_return request.render("fortunes", {{"fortunes", std::move(list)}});
}

}  // namespace

int main(int argc, char** argv) {
    trilith::App app;
    app.use(database);
    app.add_template("fortunes", kPage);
    app.get("/one", one);
    app.get("/twelve", twelve);
    return app.run(argc, argv);
}
