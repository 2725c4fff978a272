// TOML as a tree: positions, order, bounds.
#include "node/config/toml.h"

#include <string>

#include <doctest/doctest.h>

namespace node {

namespace {

std::string repeated(std::string_view text, size_t times) {
    std::string result;
    for (size_t at = 0; at < times; ++at) {
        result += text;
    }
    return result;
}

}  // namespace

TEST_CASE("members come in the order of the file, with their places") {
    auto tree = parse_toml("z = 1\na = \"x\"\n[m.n]\nk = [true, 2.5]\n[b]\n");
    REQUIRE(tree.has_value());
    REQUIRE(tree->members.size() == 4);
    CHECK(tree->members[0].key == "z");
    CHECK(tree->members[1].key == "a");
    CHECK(tree->members[1].position == Position{2, 1});
    CHECK(tree->members[1].value.position == Position{2, 5});
    CHECK(tree->members[2].key == "m");
    CHECK(tree->members[3].key == "b");
    const TomlValue* list = tree->find("m")->find("n")->find("k");
    REQUIRE(list != nullptr);
    CHECK(list->items[1].position == Position{4, 12});
    CHECK(list->items[1].description() == "the number 2.5");
    CHECK(tree->find("none") == nullptr);
}

TEST_CASE("columns count characters, not bytes") {
    auto tree = parse_toml("a = { \"\u00e4\u00f6\" = 1, b = 2 }\n");
    REQUIRE(tree.has_value());
    CHECK(tree->find("a")->members[1].position == Position{1, 17});
}

TEST_CASE("text that is not TOML is one problem with a place") {
    auto tree = parse_toml("a = 1\nb = \n");
    REQUIRE_FALSE(tree.has_value());
    CHECK(tree.error().position.line == 2);
    CHECK(tree.error().message.starts_with("not TOML: "));
    CHECK_FALSE(parse_toml("a = 1\na = 2\n").has_value());
    CHECK_FALSE(parse_toml("a = \"\xff\"\n").has_value());
}

TEST_CASE("brackets without a name are refused in an orderly way") {
    for (std::string_view text :
         {"[[[a]]]\n",
          "[]\n",
          "[[]]\n",
          "[ [a]]\n",
          "[=]\n",
          "[[#",
          "[.]\n",
          "[a.]\n",
          ". = 1\n",
          "= 1\n",
          "[",
          "[["}) {
        CAPTURE(text);
        CHECK_FALSE(parse_toml(text).has_value());
    }
    CHECK_FALSE(parse_toml("a = []\n[[a.b]]\n").has_value());
}

TEST_CASE("letters of every alphabet outside of texts are refused in an orderly way") {
    for (std::string_view letter :
         {"\u00e4", "\u0250", "\u02dc", "\u1e00", "\u2603", "\u2fff", "\uffef", "\U0001f600"}) {
        std::string name(letter);
        CAPTURE(name);
        for (const std::string& text :
             {name + " = 1\n",
              "a" + name + " = 1\n",
              "a = " + name + "\n",
              "a = 1 " + name + "\n",
              "[a] " + name,
              "a = [1," + name + "]\n",
              "a = \"\"\"\\\n" + name + "\"\"\"\n# " + name + "\nb" + name}) {
            CHECK_FALSE(parse_toml(text).has_value());
        }
        CHECK(parse_toml("\"" + name + "\" = '" + name + "' # " + name + "\n").has_value());
    }
}

TEST_CASE("a name of very many parts is refused before it becomes a tower of tables") {
    for (std::string_view part : {"a.", "\"a\".", "a . ", "'a'\t.\t"}) {
        auto long_name = parse_toml(repeated(part, 100'000) + "a = 1\n");
        REQUIRE_FALSE(long_name.has_value());
        CHECK(long_name.error().message == "a name has more than 32 parts");
        CHECK(long_name.error().position.line == 1);
        CHECK(parse_toml(repeated(part, 31) + "a = 1\n").has_value());
    }
}

TEST_CASE("values are nested only so deep") {
    CHECK_FALSE(parse_toml("a = " + repeated("[", 100'000)).has_value());
    CHECK_FALSE(parse_toml("a = " + repeated("{a=", 100'000)).has_value());
    CHECK_FALSE(parse_toml("a = " + repeated("[", 40) + repeated("]", 40)).has_value());
    CHECK(parse_toml("a = " + repeated("[", 20) + repeated("]", 20)).has_value());
}

TEST_CASE("dots of comments and lists are not a name") {
    std::string addresses = repeated("\"127.0.0.1:9001\", ", 1000);
    CHECK(parse_toml("# ............................................... \na = [" + addresses + "]\n")
              .has_value());
    CHECK(
        parse_toml("# " + repeated("10.0.0.1 ", 100) + "\n# " + repeated(". ", 100) + "\na = 1\n").has_value()
    );
}

TEST_CASE("quoted text is escaped and bounded") {
    CHECK(in_quotes("a\"b\n") == "\"a\\\"b\\n\"");
    CHECK(in_quotes(std::string(1000, 'x')).size() == 80 + 2 + std::string_view("…").size());
}

}  // namespace node
