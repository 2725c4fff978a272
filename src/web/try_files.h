// Where a request's file is looked for: the steps that are tried in order, and the reader of one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace web {

struct TryStep {
    enum class Kind : uint8_t {
        path,       // "{path}", "{path}.html": the file of the request's path, with `text` behind it
        directory,  // "{path}/": an index file in the folder of the request's path
        file,       // "/fallback.html": always this file, `text`, answered with 200
        status,     // "=404": this status; the last step
        app,        // "@app": not ours, the request goes on to its route's pool; the last step
    };
    Kind kind = Kind::path;
    std::string text = {};
    uint16_t status = 0;

    friend bool operator==(const TryStep&, const TryStep&) = default;
};

// Reads one entry. Errors are ErrorKind::invalid and name the entry and the forms that there are.
[[nodiscard]] core::Result<TryStep> parse_try_step(std::string_view text);

// The entry as it is written.
[[nodiscard]] std::string format_try_step(const TryStep& step);

// What stands behind the files.
enum class Fallback : uint8_t { not_found, app };

// {path}, {path}/, then =404 or @app.
[[nodiscard]] std::vector<TryStep> default_try_files(Fallback fallback);

// Whether the list makes sense: at least one step, none behind "=404" or "@app". A list that ends with
// neither ends with 404.
[[nodiscard]] core::Result<void> check_try_files(const std::vector<TryStep>& steps);

// "/a/b.html": a path below the root as configuration writes one, without empty, "." and ".." segments; not
// percent-encoded.
[[nodiscard]] bool is_file_path(std::string_view text);

}  // namespace web
