// Templates: values are escaped, sections repeat and choose, mistakes are told with their place.
#include "sdk/html_template.h"

#include <doctest/doctest.h>

namespace trilith::sdk {
namespace {

std::string render(std::string_view source, const Json& values) {
    TemplateSet templates;
    auto added = templates.add("t", source);
    if (!added) {
        return "refused: " + added.error().context();
    }
    auto page = templates.render("t", values);
    return page ? *page : "failed: " + page.error().context();
}

TEST_CASE("a page is what its template and its values say") {
    Json values{
        {"name", "<Ada & \"Bob's\">"},
        {"n", 7},
        {"half", 0.5},
        {"yes", true},
        {"no", false},
        {"zero", 0},
        {"empty", ""},
        {"none", nullptr},
        {"user", Json{{"name", "U"}, {"deep", Json{{"er", "D"}}}}},
        {"list", Json::array({1, 2, 3})},
        {"users", Json::array({Json{{"name", "A"}}, Json{{"other", 1}}})},
        {"nothing", Json::array()},
        {"html", "<b>"},
    };
    struct Row {
        std::string_view source;
        std::string_view page;
    };
    constexpr Row kRows[] = {
        {"", ""},
        {"plain { } } text", "plain { } } text"},
        {"{{name}}", "&lt;Ada &amp; &quot;Bob&#39;s&quot;&gt;"},
        {"{{ n }}/{{half}}/{{yes}}/{{none}}/{{gone}}", "7/0.5/true//"},
        {"{{{html}}}{{html}}", "<b>&lt;b&gt;"},
        {"{{user.name}}{{user.deep.er}}{{user.gone.er}}", "UD"},
        {"{{#each list}}{{.}},{{/each}}", "1,2,3,"},
        {"{{#each users}}[{{name}}|{{n}}]{{/each}}", "[A|7][&lt;Ada &amp; &quot;Bob&#39;s&quot;&gt;|7]"},
        {"{{#each nothing}}x{{/each}}{{#each n}}x{{/each}}", ""},
        {"{{#each list}}{{#each list}}{{.}}{{/each}};{{/each}}", "123;123;123;"},
        {"{{#if yes}}a{{else}}b{{/if}}", "a"},
        {"{{#if no}}a{{else}}b{{/if}}", "b"},
        {"{{#if zero}}a{{/if}}{{#if empty}}b{{/if}}{{#if nothing}}c{{/if}}{{#if gone}}d{{/if}}", ""},
        {"{{#if list}}{{#if user}}a{{/if}}{{/if}}", "a"},
        {"{{! {a} remark }}x", "x"},
        {"<a href=\"{{name}}\">", "<a href=\"&lt;Ada &amp; &quot;Bob&#39;s&quot;&gt;\">"},
        {"<p class='{{n}}' id=\"x\">{{n}}", "<p class='7' id=\"x\">7"},
        {"<script>if (a<b) {{{n}}}</script>{{n}}", "<script>if (a<b) 7</script>7"},
        {"<script src=\"{{n}}\"></script>", "<script src=\"7\"></script>"},
        {"a < {{n}} <!-- it's {{n}} -->{{n}}", "a < 7 <!-- it's 7 -->7"},
        {"<scripture>{{n}}</scripture>", "<scripture>7</scripture>"},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.source);
        CHECK(render(row.source, values) == row.page);
    }
}

TEST_CASE("a mistake is told with name, line and column") {
    struct Row {
        std::string_view source;
        std::string_view place;
    };
    constexpr Row kRows[] = {
        {"a\nb {{name", "t:2:3: a tag"},
        {"{{}}", "t:1:1: a value's name"},
        {"{{a b}}", "t:1:1: a value's name"},
        {"{{<}}", "t:1:1: a value's name"},
        {"{{{a}}", "t:1:1: a tag"},
        {"{{#each}}x{{/each}}", "t:1:1: a section"},
        {"{{#with a}}{{/with}}", "t:1:1: a section"},
        {"\n\n  {{#if a}}x", "t:3:3: a section that is not closed"},
        {"{{/if}}", "t:1:1: the end"},
        {"{{#if a}}{{/each}}", "t:1:10: expected {{/if}}"},
        {"{{#each a}}{{/if}}", "t:1:12: expected {{/each}}"},
        {"{{else}}", "t:1:1: {{else}}"},
        {"{{#if a}}{{else}}{{else}}{{/if}}", "t:1:18: {{else}}"},
        {"{{#each a}}{{else}}{{/each}}", "t:1:12: {{else}}"},
        {"{{> a b}}", "t:1:1: a partial"},
        {"<a href={{a}}>", "t:1:9: a value in a tag"},
        {"<a {{a}}>", "t:1:4: a value in a tag"},
        {"<{{a}}>", "t:1:2: a value in a tag"},
        {"<script>var a = \"{{a}}\";</script>", "t:1:18: a value in <script>"},
        {"<STYLE>{{a}}</STYLE>", "t:1:8: a value in <script>"},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.source);
        CHECK(render(row.source, {}).starts_with("refused: " + std::string(row.place)));
    }
    std::string deep;
    for (int level = 0; level < 33; ++level) {
        deep += "{{#if a}}";
    }
    CHECK(render(deep, {}).contains("more than 32 sections"));
}

TEST_CASE("partials see what their place sees, and must be there") {
    TemplateSet templates;
    REQUIRE(templates.add("page", "<{{#each users}}{{> user}}{{/each}}>"));
    REQUIRE(templates.check().error().context() == "page:1:17: no template is named user");
    REQUIRE(templates.add("user", "{{name}};"));
    CHECK(templates.check().has_value());
    CHECK(templates.add("user", "").error().kind() == core::ErrorKind::conflict);
    Json values{{"users", Json::array({Json{{"name", "A"}}, Json{{"name", "B"}}})}};
    CHECK(*templates.render("page", values) == "<A;B;>");
    CHECK(templates.render("gone", {}).error().kind() == core::ErrorKind::not_found);
}

TEST_CASE("a page is bounded in depth, size and work") {
    TemplateSet templates;
    REQUIRE(templates.add("endless", "{{> endless}}"));
    REQUIRE(templates.add("large", "{{#each list}}{{text}}{{/each}}"));
    REQUIRE(
        templates.add("busy", "{{#each list}}{{#each list}}{{#each list}}{{gone}}{{/each}}{{/each}}{{/each}}")
    );
    Json values{{"list", Json::array()}, {"text", std::string(64 << 10, 'x')}};
    for (int count = 0; count < 300; ++count) {
        values["list"].push_back(1);
    }
    for (std::string_view name : {"endless", "large", "busy"}) {
        CAPTURE(name);
        auto page = templates.render(name, values);
        REQUIRE_FALSE(page.has_value());
        CHECK(page.error().kind() == core::ErrorKind::too_large);
    }
}

}  // namespace
}  // namespace trilith::sdk
