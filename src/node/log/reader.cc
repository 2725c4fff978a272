#include "node/log/reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <format>
#include <memory>

#include "core/json_text.h"

namespace node {

namespace {

using runtime::Descriptor;

constexpr size_t kPieceBytes = 256 << 10;
constexpr size_t kTimeBytes = 24;
// Rotated files that are looked for; more than a configuration may keep.
constexpr unsigned kRotatedMax = 1001;
constexpr std::string_view kLogSuffix = ".log";

Descriptor open_log(const std::string& path) {
    // What bears the name of a log and is none, such as a FIFO, holds nobody up.
    return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

std::string rotated_name(const std::string& path, unsigned number) {
    return std::format("{}.{}", path, number);
}

bool is_same_file(const struct stat& one, const struct stat& other) {
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// Where a link leads: rotated files lie there.
std::string real_path(const std::string& path) {
    std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
    return real == nullptr ? path : std::string(real.get());
}

// "time" is the first member, or behind the server.
std::string time_of(std::string_view line) {
    constexpr std::string_view key = "\"time\":\"";
    size_t at = line.find(key);
    return at == std::string_view::npos ? std::string()
                                        : std::string(line.substr(at + key.size(), kTimeBytes));
}

}  // namespace

// The newest of those that were added.
struct LogReader::Lines {
    size_t count_max = SIZE_MAX;
    std::deque<LogLine> lines{};

    void add(std::string_view text) {
        lines.push_back({.time = time_of(text), .text = std::string(text)});
        if (lines.size() > count_max) {
            lines.pop_front();
        }
    }

    [[nodiscard]] std::vector<LogLine> take() {
        return {std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end())};
    }
};

LogFilter::LogFilter(std::string_view tier, std::string_view request) {
    if (!tier.empty()) {
        member_ = "\"tier\":";
        core::append_json_string(member_, tier);
    }
    core::append_json_string(id_, request);
    id_ = id_.substr(1, id_.size() - 2);
}

// To the end of the open file.
void LogReader::read_open(const LogFilter& filter, Lines& lines) {
    std::string piece(kPieceBytes, '\0');
    for (;;) {
        ssize_t count = ::read(file_.get(), piece.data(), piece.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return;
        }
        unfinished_.append(piece, 0, static_cast<size_t>(count));
        size_t begin = 0;
        for (size_t end = unfinished_.find('\n'); end != std::string::npos;
             end = unfinished_.find('\n', begin)) {
            std::string_view line = std::string_view(unfinished_).substr(begin, end - begin);
            if (!line.empty() && filter.takes(line)) {
                lines.add(line);
            }
            begin = end + 1;
        }
        unfinished_.erase(0, begin);
    }
}

// The file that was begun after the open one; false: the open one is the newest.
bool LogReader::open_next() {
    struct stat open{};
    struct stat newest{};
    std::string path = real_path(path_);
    if (::stat(path.c_str(), &newest) != 0) {
        return false;
    }
    if (!file_.is_open() || ::fstat(file_.get(), &open) != 0) {
        file_ = open_log(path);
        return file_.is_open();
    }
    if (is_same_file(open, newest)) {
        return false;
    }
    // Which of the rotated ones it is by now; where it is gone, the oldest follows.
    unsigned oldest = 0;
    unsigned ours = 0;
    struct stat rotated{};
    for (unsigned at = 1; at <= kRotatedMax && ::stat(rotated_name(path, at).c_str(), &rotated) == 0; ++at) {
        oldest = at;
        if (is_same_file(open, rotated)) {
            ours = at;
            break;
        }
    }
    unsigned next = ours > 0 ? ours - 1 : oldest;
    Descriptor opened = open_log(next == 0 ? path : rotated_name(path, next));
    if (!opened.is_open()) {
        return false;  // renamed just now: the next look finds it
    }
    file_ = std::move(opened);
    unfinished_.clear();
    return true;
}

std::vector<LogLine> LogReader::read_last(const LogFilter& filter, size_t count) {
    std::vector<LogLine> found;
    if (!open_next()) {
        return found;
    }
    Lines newest{.count_max = count};
    read_open(filter, newest);
    found = newest.take();
    struct stat current{};
    struct stat older{};
    ::fstat(file_.get(), &current);
    const std::string path = real_path(path_);
    for (unsigned at = 1; at <= kRotatedMax && found.size() < count; ++at) {
        LogReader reader(rotated_name(path, at));
        reader.file_ = open_log(reader.path_);
        if (!reader.file_.is_open()) {
            break;
        }
        if (::fstat(reader.file_.get(), &older) == 0 && is_same_file(current, older)) {
            continue;  // it was rotated while we read
        }
        Lines lines{.count_max = count - found.size()};
        reader.read_open(filter, lines);
        std::vector<LogLine> earlier = lines.take();
        found.insert(
            found.begin(),
            std::make_move_iterator(earlier.begin()),
            std::make_move_iterator(earlier.end())
        );
    }
    return found;
}

std::vector<LogLine> LogReader::read_new(const LogFilter& filter) {
    Lines lines;
    if (file_.is_open()) {
        read_open(filter, lines);
    }
    while (open_next()) {
        read_open(filter, lines);
    }
    return lines.take();
}

std::vector<std::string> logged_servers(const std::string& directory) {
    std::vector<std::string> servers;
    std::unique_ptr<DIR, decltype(&::closedir)> opened(::opendir(directory.c_str()), &::closedir);
    while (opened != nullptr) {
        const dirent* entry = ::readdir(opened.get());
        if (entry == nullptr) {
            break;
        }
        std::string_view name = entry->d_name;
        if (name.size() > kLogSuffix.size() && name.ends_with(kLogSuffix)) {
            servers.emplace_back(name.substr(0, name.size() - kLogSuffix.size()));
        }
    }
    std::ranges::sort(servers);
    return servers;
}

}  // namespace node
