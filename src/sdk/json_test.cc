// JSON in and out: what is read is what was written, within bounds.
#include <trilith/app.h>

#include <limits>

#include <doctest/doctest.h>

namespace trilith {
namespace {

TEST_CASE("a value that was built is written as it was built") {
    Json value{
        {"name", "A\"b\n"},
        {"id", 7},
        {"big", uint64_t{18446744073709551615U}},
        {"half", 0.5},
        {"yes", true},
        {"none", nullptr},
        {"list", Json::array({1, "two", Json::array(), Json::object()})},
    };
    CHECK(
        value.to_string() ==
        R"({"name":"A\"b\n","id":7,"big":18446744073709551616,"half":0.5,"yes":true,"none":null,)"
        R"("list":[1,"two",[],{}]})"
    );
    CHECK(Json(std::numeric_limits<double>::infinity()).to_string() == "null");
    CHECK(Json(-0.0).to_string() == "-0.0");
    CHECK(Json::parse("-0e+8")->to_string() == "-0.0");
    CHECK(Json().to_string() == "null");
}

TEST_CASE("a value that was read is written the same") {
    for (std::string_view text : {
             "null",
             "true",
             "-7",
             "0.25",
             "\"x\"",
             "[]",
             "{}",
             R"({"a":[1,{"b":null}],"c":"\\"})",
             "9223372036854775807",
         }) {
        CAPTURE(text);
        auto value = Json::parse(text);
        REQUIRE(value.has_value());
        CHECK(value->to_string() == text);
    }
    CHECK(Json::parse(" [ 1 ] ")->at(0).integer() == 1);
    CHECK(Json::parse("\"\\u00e4\"")->text() == "\xC3\xA4");
}

TEST_CASE("what is not one JSON value is refused") {
    for (std::string_view text : {
             "",
             " ",
             "nul",
             "[1,]",
             "{\"a\":1,}",
             "{a:1}",
             "1 2",
             "'x'",
             "\"\xFF\"",
             "[1",
             "{\"a\":1",
             "01",
             "NaN",
             "1e999",
             "{\"a\":1,\"a\":2}",
             "\"\n\"",
             "// x\n1",
         }) {
        CAPTURE(text);
        CHECK_FALSE(Json::parse(text).has_value());
    }
}

TEST_CASE("depth and number of values are bounded") {
    CHECK(Json::parse(std::string(64, '[') + std::string(64, ']')).has_value());
    CHECK_FALSE(Json::parse(std::string(65, '[') + std::string(65, ']')).has_value());
    std::string many = "[";
    for (int count = 0; count < 99'998; ++count) {
        many += "1,";
    }
    CHECK(Json::parse(many + "1]").has_value());
    CHECK_FALSE(Json::parse(many + "1,1]").has_value());
}

TEST_CASE("reading what is not there gives null and the fallback") {
    Json value = *Json::parse(R"({"n":1,"s":"x","l":[1,2]})");
    const Json& read = value;
    CHECK(read["n"].integer(5) == 1);
    CHECK(read["n"].text("no") == "no");
    CHECK(read["n"].number() == doctest::Approx(1));
    CHECK(read["s"].integer(5) == 5);
    CHECK(read["gone"]["deeper"].is_null());
    CHECK(read["l"].at(1).integer() == 2);
    CHECK(read["l"].at(2).is_null());
    CHECK(read["l"].size() == 2);
    CHECK(read.size() == 3);
    CHECK(read["n"].size() == 0);
    value["n"] = "changed";
    value["new"]["made"] = 1;
    value["l"].push_back(3);
    CHECK(value.to_string() == R"({"n":"changed","s":"x","l":[1,2,3],"new":{"made":1}})");
    Json copy = value;
    copy["n"] = 2;
    CHECK(value["n"].text() == "changed");
}

}  // namespace
}  // namespace trilith
