// Makes paths absolute without a look at the disk.
#include "node/config/paths.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace node {

std::string path_from(std::string_view base, std::string_view text) {
    std::string path;
    if (!text.starts_with('/')) {
        while (text.starts_with("./")) {
            text.remove_prefix(std::min(text.find_first_not_of('/', 1), text.size()));
        }
        path = std::string(base) + (base.ends_with('/') ? "" : "/");
        text = text == "." ? "" : text;
    }
    path += text;
    while (path.size() > 1 && path.ends_with('/')) {
        path.pop_back();
    }
    return path;
}

core::Result<std::string> directory_of(std::string_view file) {
    std::string current;
    if (!file.starts_with('/')) {
        std::error_code failed;
        current = std::filesystem::current_path(failed).string();
        if (failed) {
            return core::fail(core::Error::of_errno(failed.value(), "the current directory cannot be told"));
        }
    }
    std::string path = path_from(current, file);
    return path_from("/", std::string_view(path).substr(0, path.rfind('/') + 1));
}

std::string absolute_path(std::string_view file) {
    auto directory = directory_of(file);
    return directory ? *directory + "/" + std::string(file.substr(file.rfind('/') + 1)) : std::string(file);
}

}  // namespace node
