// A tree of files for one test, removed with all that is in it.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "core/panic.h"

namespace web {

class SiteTree {
public:
    SiteTree() : path_("/tmp/tlw-XXXXXX") { ASSERT(::mkdtemp(path_.data()) != nullptr); }

    ~SiteTree() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    SiteTree(const SiteTree&) = delete;
    SiteTree& operator=(const SiteTree&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

    [[nodiscard]] std::string operator/(std::string_view name) const {
        return path_ + "/" + std::string(name);
    }

    void make_directory(std::string_view name) const { std::filesystem::create_directories(*this / name); }

    // A new file, as a deploy makes it: the old one of that name is replaced as a whole.
    void write(std::string_view name, std::string_view text) const {
        const std::string target = *this / name;
        std::filesystem::create_directories(std::filesystem::path(target).parent_path());
        const std::string fresh = target + ".fresh";
        write_in_place(fresh, text);
        ASSERT(::rename(fresh.c_str(), target.c_str()) == 0);
    }

    // Of the same inode, from its first byte on; what stood behind stays.
    void overwrite(std::string_view name, std::string_view text) const { write_in_place(*this / name, text); }

    void truncate(std::string_view name, off_t size) const {
        ASSERT(::truncate((*this / name).c_str(), size) == 0);
    }

    void link(std::string_view target, std::string_view name) const {
        ASSERT(::symlink(std::string(target).c_str(), (*this / name).c_str()) == 0);
    }

    void make_fifo(std::string_view name) const { ASSERT(::mkfifo((*this / name).c_str(), 0600) == 0); }

    void rename(std::string_view from, std::string_view to) const {
        ASSERT(::rename((*this / from).c_str(), (*this / to).c_str()) == 0);
    }

    void remove(std::string_view name) const { ASSERT(std::filesystem::remove_all(*this / name) > 0); }

    // The time of a file's content, in seconds since the epoch.
    void set_modified(std::string_view name, int64_t seconds) const {
        const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = 0}};
        ASSERT(::utimensat(AT_FDCWD, (*this / name).c_str(), times, 0) == 0);
    }

private:
    static void write_in_place(const std::string& target, std::string_view text) {
        const int file = ::open(target.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        ASSERT(file >= 0);
        ASSERT(::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
        ::close(file);
    }

    std::string path_;
};

}  // namespace web
