// URLs of databases: what is read of them, and what is refused.
#include "mariadb/database_url.h"

#include <doctest/doctest.h>

namespace mariadb {
namespace {

std::string url_as_told(std::string_view text) {
    auto url = read_database_url(text);
    return url ? url->user + "|" + url->password + "|" + url->address.to_string() + "|" + url->database
               : "refused";
}

TEST_CASE("a database's URL is read part by part") {
    CHECK(url_as_told("mysql://app:secret@127.0.0.12:3306/shop") == "app|secret|127.0.0.12:3306|shop");
    CHECK(url_as_told("mysql://app@127.0.0.1") == "app||127.0.0.1:3306|");
    CHECK(url_as_told("mysql://a%40b:p%3Aq%2F%25@localhost:3307/x%20y") == "a@b|p:q/%|127.0.0.1:3307|x y");
    CHECK(url_as_told("mysql://app:a@b:c@[::1]:4000/shop") == "app|a@b:c|[::1]:4000|shop");
    CHECK(url_as_told("mysql://app:a/b@[::1]/shop") == "app|a/b|[::1]:3306|shop");
}

TEST_CASE("what is no URL of a database is refused, without its password") {
    for (std::string_view text :
         {"",
          "mysql:",
          "postgres://app:secret@127.0.0.1:5432/shop",
          "mysql://127.0.0.1:3306/shop",
          "mysql://:secret@127.0.0.1:3306/shop?charset=x",
          "mysql://app:secret@db.example:3306/shop",
          "mysql://app:secret@*:3306/shop",
          "mysql://app:secret@127.0.0.1:99999/shop",
          "mysql://app:secret@127.0.0.1:3306/shop/more",
          "mysql://app%00:secret@127.0.0.1:3306/shop"}) {
        auto url = read_database_url(text);
        REQUIRE_FALSE(url);
        CHECK_FALSE(url.error().context().contains("secret"));
    }
}

}  // namespace
}  // namespace mariadb
