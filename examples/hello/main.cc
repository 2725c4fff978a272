// A whole program with trilith::app: a page, a form, JSON, a typed path, and an answer in pieces.
#include <trilith/app.h>

#include <string>

using namespace std::chrono_literals;
using trilith::Json;
using trilith::Request;
using trilith::Response;
using trilith::Task;
using trilith::Writer;

namespace {

constexpr std::string_view kPage = R"(<!doctype html>
<title>Hello</title>
<h1>Hello, {{name}}!</h1>
<form method="post" action="/"><input name="name" value="{{name}}"><button>Greet</button></form>
)";

Response page(Request& request) {
    return request.render("page", {{"name", request.query("name").value_or("world")}});
}

Response greet(Request& request) {
    return request.render("page", {{"name", request.form("name").value_or("nobody")}});
}

Response health(Request&) { return Response::json_text(R"({"status":"up"})"); }

Response square(Request&, int64_t number) {
    return Response::json({{"number", number}, {"square", double(number) * double(number)}});
}

// A coroutine waits without holding up anybody; when its client leaves, the await throws and it ends.
Task<Response> wait(Request& request, unsigned seconds) {
    co_await request.sleep_for(std::chrono::seconds(seconds));
    co_return Response::text("waited\n");
}

Response count(Request& request) {
    return Response::stream("text/plain", [&request](Writer& writer) -> Task<void> {
        for (int number = 1; number <= 3; ++number) {
            std::string line = std::to_string(number) + "\n";
            co_await writer.write(line);
            co_await request.sleep_for(100ms);
        }
    });
}

}  // namespace

int main(int argc, char** argv) {
    trilith::App app;
    app.add_template("page", kPage);
    app.get("/", page);
    app.post("/", greet);
    app.get("/healthz", health);
    app.get("/square/{number:int}", square);
    app.get("/wait/{seconds}", wait);
    app.get("/count", count);
    return app.run(argc, argv);
}
