// Forms that other sites send, or that are made up.
#include "sdk/form_token.h"

#include <string>

#include <doctest/doctest.h>

#include "sdk/served_program.h"

namespace trilith::sdk {
namespace {

const std::string kFormKey(32, 'f');

struct FormSite {
    FormSite() : app({.cookie_keys = {kFormKey}}) {
        app.get("/form", [](Request& request) { return Response::text(request.form_token()); });
        app.post("/form", [](Request& request) {
            request.check_form();
            return Response::text("taken");
        });
    }

    App app;
};

std::string form_post(std::string_view body, std::string_view fields = {}) {
    return "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: "
           "application/x-www-form-urlencoded\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

struct Visitor {
    std::string cookie{};  // a whole field
    std::string token{};   // a whole body
};

Visitor visit(Client& client, std::string_view fields = {}) {
    std::string answer = client.ask("GET /form HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n");
    size_t begin = answer.find("trilith_visitor=");
    Visitor visitor{.token = "form_token=" + answer.substr(answer.find("\r\n\r\n") + 4)};
    if (begin != std::string::npos) {
        visitor.cookie = "Cookie: " + answer.substr(begin, answer.find(';', begin) - begin) + "\r\n";
    }
    return visitor;
}

TEST_CASE("a form is believed with its own visitor's cookie alone") {
    FormSite site;
    ServedProgram served(site.app);
    Client client(served);
    Visitor ada = visit(client);
    Visitor eve = visit(client);
    REQUIRE_FALSE(ada.cookie.empty());
    CHECK(is_status(client.ask(form_post(ada.token, ada.cookie)), 200));
    CHECK(is_status(client.ask(form_post(ada.token, ada.cookie + "Sec-Fetch-Site: same-origin\r\n")), 200));
    CHECK(is_status(client.ask(form_post(eve.token, ada.cookie)), 403));
    CHECK(is_status(client.ask(form_post(ada.token)), 403));
    CHECK(is_status(client.ask(form_post("form_token=made.up.text", ada.cookie)), 403));
    CHECK(is_status(client.ask(form_post("", ada.cookie)), 403));
    CHECK(is_status(client.ask(form_post(ada.token, ada.cookie + "Sec-Fetch-Site: cross-site\r\n")), 403));
    CHECK(is_status(client.ask(form_post(ada.token, ada.cookie + "Sec-Fetch-Site: same-site\r\n")), 403));
}

TEST_CASE("a visitor stays the same, and gets one cookie") {
    FormSite site;
    ServedProgram served(site.app);
    Client client(served);
    Visitor first = visit(client);
    Visitor again = visit(client, first.cookie);
    CHECK(again.cookie.empty());
    CHECK(is_status(client.ask(form_post(again.token, first.cookie)), 200));
}

TEST_CASE("a token is no cookie, and a cookie no token") {
    FormSite site;
    ServedProgram served(site.app);
    Client client(served);
    Visitor visitor = visit(client);
    std::string token = visitor.token.substr(std::string_view("form_token=").size());
    CHECK(is_status(client.ask(form_post(visitor.token, "Cookie: trilith_visitor=" + token + "\r\n")), 403));
}

}  // namespace
}  // namespace trilith::sdk
