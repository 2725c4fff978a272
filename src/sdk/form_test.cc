// Forms and queries: decoded once, UTF-8, bounded.
#include "sdk/form.h"

#include <string>

#include <doctest/doctest.h>

namespace trilith::sdk {
namespace {

TEST_CASE("names and values are decoded once") {
    struct Row {
        std::string_view text;
        std::string_view name;
        std::string_view value;
    };
    constexpr Row kRows[] = {
        {"a=1", "a", "1"},
        {"a=1&a=2", "a", "1"},
        {"b=2&a=1", "a", "1"},
        {"&&a=1&&", "a", "1"},
        {"a", "a", ""},
        {"a=", "a", ""},
        {"a=b=c", "a", "b=c"},
        {"=x", "", "x"},
        {"a+b=c+d", "a b", "c d"},
        {"%61=%2B%26%3d", "a", "+&="},
        {"a=%2541", "a", "%41"},
        {"a=%", "a", "%"},
        {"a=%4", "a", "%4"},
        {"a=%zz", "a", "%zz"},
        {"a=%C3%A4", "a", "\xC3\xA4"},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.text);
        auto form = Form::read(row.text);
        REQUIRE(form.has_value());
        CHECK(form->find(row.name) == row.value);
    }
    auto form = Form::read("a=%00b");
    CHECK(form->find("a") == std::string_view("\0b", 2));
    CHECK(form->find("b") == std::nullopt);
    CHECK(Form::read("")->fields().empty());
}

TEST_CASE("names and values that are not UTF-8 are refused") {
    for (std::string_view text :
         {"a=%ff", "%ff=a", "a=\xFF", "a=%C3", "a=%C0%80", "a=%ED%A0%80", "a=%F4%90%80%80", "ok=1&b=%E2%82"
         }) {
        CAPTURE(text);
        auto read = Form::read(text);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().kind() == core::ErrorKind::invalid);
    }
    // The two halves of a character in two fields are none.
    CHECK_FALSE(Form::read("a=%C3&b=%BC").has_value());
}

TEST_CASE("a form survives being moved, and its text's end") {
    auto text = std::make_unique<std::string>("name=A%20B");
    Form form = *Form::read(*text);
    text.reset();
    Form moved = std::move(form);
    CHECK(moved.find("name") == "A B");
}

TEST_CASE("more than 1000 fields are refused") {
    std::string text;
    for (size_t count = 0; count < Form::kFieldsMax; ++count) {
        text += "a&";
    }
    CHECK(Form::read(text)->fields().size() == Form::kFieldsMax);
    auto read = Form::read(text + "a");
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().kind() == core::ErrorKind::too_large);
}

}  // namespace
}  // namespace trilith::sdk
