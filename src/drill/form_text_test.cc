// Hidden fields, bodies and cookies.
#include "drill/form_text.h"

#include <doctest/doctest.h>

namespace drill {

TEST_CASE("a hidden field is found by its name, whatever stands around it") {
    constexpr std::string_view kPage = R"(<form><input name="q" value="1"><input type="hidden"
 name="form_token" value="a&amp;b="><input name='single' value='c'></form>)";
    CHECK(hidden_field(kPage, "form_token") == "a&b=");
    CHECK(hidden_field(kPage, "q") == "1");
    CHECK(hidden_field(kPage, "single") == "c");
    CHECK(hidden_field(R"(<input value="v" name="n">)", "n") == "v");
    CHECK(hidden_field(R"(<input name="n">)", "n") == "");
    CHECK(hidden_field(R"(<input data-name="n" value="v">)", "n") == std::nullopt);
    CHECK(hidden_field(R"(<a name="n" value="v">)", "n") == std::nullopt);
    CHECK(hidden_field("", "n") == std::nullopt);
    for (size_t size = 0; size < kPage.size(); ++size) {  // cut anywhere: no more than none
        std::optional<std::string> found = hidden_field(kPage.substr(0, size), "form_token");
        CHECK((!found || found->size() <= 4));
    }
}

TEST_CASE("a body's places are filled in, and the token is encoded") {
    CHECK(fill_form("n={number}&t={token}&m={number}", 12, "a+b/c=") == "n=12&t=a%2Bb%2Fc%3D&m=12");
    CHECK(fill_form("plain", 1, "t") == "plain");
    CHECK(fill_form("{token}", 1, "{number}") == "%7Bnumber%7D");
}

TEST_CASE("cookies are kept by name, without their attributes, within their bounds") {
    CookieJar jar;
    CHECK(jar.field().empty());
    jar.take("a=1; Path=/; HttpOnly");
    jar.take("b=x=y");
    jar.take("a=2");
    jar.take("no cookie");
    jar.take("=v");
    jar.take("long=" + std::string(CookieJar::kCookieBytesMax, 'x'));
    CHECK(jar.field() == "a=2; b=x=y");
    for (int number = 0; number < 100; ++number) {
        jar.take("c" + std::to_string(number) + "=" + std::string(4000, 'x'));
    }
    CHECK(jar.field().size() <= CookieJar::kFieldBytesMax + 2 * CookieJar::kCookiesMax);
}

}  // namespace drill
