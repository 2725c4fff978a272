// Reads what LogFiles and RotatedFile have written: the newest lines of a server's log, and those that
// follow, across rotations.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/descriptor.h"

namespace node {

struct LogLine {
    std::string time;  // as it was written, RFC 3339 in UTC: sorts as text
    std::string text;  // one object of JSON, without its newline
};

// Which lines are wanted.
class LogFilter {
public:
    LogFilter() = default;  // all
    // Empty: all. `request`: an id; whatever names it is wanted, be it a field or what a program wrote.
    LogFilter(std::string_view tier, std::string_view request);

    [[nodiscard]] bool takes(std::string_view line) const {
        return line.contains(member_) && line.contains(id_);
    }

private:
    std::string member_;  // "tier":"app"
    std::string id_;      // as it stands in a text of JSON
};

class LogReader {
public:
    // Of "…/SERVER.log", or a link to it.
    explicit LogReader(std::string path) : path_(std::move(path)) {}

    // The last `count` lines that the filter takes, oldest first. A file that is not there has none.
    [[nodiscard]] std::vector<LogLine> read_last(const LogFilter& filter, size_t count);
    // What was written since the last call of either; at first, all that is there.
    [[nodiscard]] std::vector<LogLine> read_new(const LogFilter& filter);

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    struct Lines;

    void read_open(const LogFilter& filter, Lines& lines);
    [[nodiscard]] bool open_next();

    std::string path_;
    runtime::Descriptor file_;
    std::string unfinished_;  // of a line whose end is not written yet
};

// The names of servers that have a log in this directory, sorted; "up" among them.
[[nodiscard]] std::vector<std::string> logged_servers(const std::string& directory);

}  // namespace node
