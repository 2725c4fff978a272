// A directory of its own for one test; removed with all that is in it.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/panic.h"

namespace runtime {

class TemporaryDirectory {
public:
    TemporaryDirectory() : path_("/tmp/tl-XXXXXX") { ASSERT(::mkdtemp(path_.data()) != nullptr); }

    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

    [[nodiscard]] std::string operator/(std::string_view name) const {
        return path_ + "/" + std::string(name);
    }

    // Everybody may go through it; without this, its user alone.
    void open_to_all() const { ASSERT(::chmod(path_.c_str(), 0755) == 0); }

    // The names in it, sorted.
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(path_)) {
            found.push_back(entry.path().filename().string());
        }
        std::ranges::sort(found);
        return found;
    }

    void write(std::string_view name, std::string_view text) const {
        std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
            std::fopen((*this / name).c_str(), "w"),
            std::fclose
        );
        ASSERT(file != nullptr);
        ASSERT(std::fwrite(text.data(), 1, text.size(), file.get()) == text.size());
    }

    [[nodiscard]] std::string read(std::string_view name) const {
        std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
            std::fopen((*this / name).c_str(), "r"),
            std::fclose
        );
        ASSERT(file != nullptr);
        std::string text(1 << 20, '\0');
        text.resize(std::fread(text.data(), 1, text.size(), file.get()));
        return text;
    }

private:
    std::string path_;
};

}  // namespace runtime
