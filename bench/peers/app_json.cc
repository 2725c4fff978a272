// The benchmark's program of trilith::app: the same JSON document as a literal, and made anew for each
// request.
#include <trilith/app.h>

namespace {

trilith::Response fixed(trilith::Request&) {
    return trilith::Response::json_text(R"({"message":"Hello, World!"})");
}

trilith::Response made(trilith::Request&) { return trilith::Response::json({{"message", "Hello, World!"}}); }

}  // namespace

int main(int argc, char** argv) {
    trilith::App app;
    app.get("/json", fixed);
    app.get("/json-made", made);
    return app.run(argc, argv);
}
