#include "web/path_pattern.h"

namespace web {

bool matches_pattern(std::string_view pattern, std::string_view path) {
    if (!pattern.contains('/')) {
        path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0
    }
    size_t at = 0;
    size_t in_pattern = 0;
    size_t star = std::string_view::npos;  // the last one, and what it has taken so far ends at `resume`
    size_t resume = 0;
    while (at < path.size()) {
        if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
            star = in_pattern;
            resume = at;
            ++in_pattern;
        } else if (in_pattern < pattern.size() && pattern[in_pattern] == path[at]) {
            ++in_pattern;
            ++at;
        } else if (star != std::string_view::npos) {
            ++resume;
            at = resume;
            in_pattern = star + 1;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

}  // namespace web
