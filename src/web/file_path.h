// The path of a request as the name of a file below the root: decoded once, and refused where it could be
// read in two ways.
#pragma once

#include <array>
#include <climits>
#include <cstdint>
#include <string_view>

#include "web/config.h"

namespace web {

inline constexpr size_t kFileNameMax = 255;           // bytes of one segment (NAME_MAX of Linux)
inline constexpr size_t kFilePathMax = PATH_MAX - 1;  // bytes of a path that the system takes

// A path that is put together without an allocation. One may be used for request after request.
class PathBuffer {
public:
    void clear() { size_ = 0; }

    // False, and nothing is appended, where there is no room.
    [[nodiscard]] bool append(std::string_view text);

    [[nodiscard]] std::string_view text() const { return {bytes_.data(), size_}; }

private:
    std::array<char, kFilePathMax> bytes_;
    size_t size_ = 0;
};

struct FilePath {
    std::string_view reason{};    // one static sentence why the path names no file; empty: it may name one
    std::string_view relative{};  // "a/b.html", "" for the root; valid while the buffer is
    bool ends_with_slash = false;
};

// `path` is what normalize_path() made; all that it refuses is refused here too, so that nothing depends on
// the caller. Percent escapes are decoded once. Refused are empty, "." and ".." segments, an escaped slash (a
// file name cannot have one), NUL and other control characters, a backslash (normalize_path() lets none
// through, and no tool that makes sites writes one), names over kFileNameMax, and names that begin with a dot
// where `hidden` says so, but for ".well-known".
[[nodiscard]] FilePath read_file_path(std::string_view path, HiddenFiles hidden, PathBuffer& target);

}  // namespace web
