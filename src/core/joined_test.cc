// Texts as one.
#include "core/joined.h"

#include <vector>

#include <doctest/doctest.h>

namespace core {

TEST_CASE("texts are joined by what stands between two of them") {
    CHECK(joined(std::vector<std::string>{}) == "");
    CHECK(joined(std::vector<std::string_view>{"web1"}) == "web1");
    CHECK(joined(std::vector<std::string>{"web1", "web2", "web3"}) == "web1, web2, web3");
    CHECK(joined(std::vector<std::string>{"", "a"}, "; ") == "; a");
}

}  // namespace core
