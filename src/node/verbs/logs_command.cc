#include "node/verbs/logs_command.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <format>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/joined.h"
#include "node/control/client.h"
#include "node/log/reader.h"
#include "node/log/text.h"
#include "node/serve/site_paths.h"
#include "node/verbs/verb_answers.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

constexpr core::Duration kFollowLook = std::chrono::milliseconds(200);

// The sites of this user that have a folder of logs.
std::vector<std::string> logged_sites(const std::string& base) {
    std::vector<std::string> sites;
    std::unique_ptr<DIR, decltype(&::closedir)> opened(::opendir(base.c_str()), &::closedir);
    while (opened != nullptr) {
        const dirent* entry = ::readdir(opened.get());
        if (entry == nullptr) {
            break;
        }
        std::string name = entry->d_name;
        struct stat status{};
        if (!name.starts_with('.') && ::stat(std::format("{}/{}/logs", base, name).c_str(), &status) == 0) {
            sites.push_back(std::move(name));
        }
    }
    std::ranges::sort(sites);
    return sites;
}

// The sites that run: a socket that nobody answers at stays behind where root has given up its rights.
std::vector<std::string> running_sites(const SiteOptions& options, const Console& console) {
    std::set<std::string> sites;
    auto sockets = list_sockets(options.directories, console.environment, "");
    for (size_t at = 0; sockets && at < sockets->size(); ++at) {
        if (!(*sockets)[at].site.empty() && probe(console.os, (*sockets)[at].path)) {
            sites.insert((*sockets)[at].site);
        }
    }
    return {sites.begin(), sites.end()};
}

Result<std::string> find_logs(const SiteOptions& options, const Console& console) {
    bool is_named = !options.directories.state.empty() || !console.environment.state.empty();
    // Any name stands for the folder of all sites.
    TRY(SitePaths paths,
        site_paths(options.directories, console.environment, options.site.empty() ? "local" : options.site));
    if (is_named || !options.site.empty()) {
        return paths.logs_dir();
    }
    const std::string base = paths.state_dir.substr(0, paths.state_dir.rfind('/'));
    std::vector<std::string> sites = logged_sites(base);
    if (sites.size() > 1) {
        std::vector<std::string> running = running_sites(options, console);
        std::erase_if(running, [&](const std::string& site) { return !std::ranges::contains(sites, site); });
        sites = running.size() == 1 ? running : sites;
    }
    if (sites.empty()) {
        return fail(ErrorKind::not_found, std::format("no site has logs in {}", base));
    }
    if (sites.size() > 1) {
        return fail(
            ErrorKind::invalid,
            std::format("several sites have logs: {}; choose one with --site", core::joined(sites))
        );
    }
    return std::format("{}/{}/logs", base, sites.front());
}

// The logs of all servers that are wanted.
class Stream {
public:
    Stream(std::string directory, const LogsOptions& options)
        : directory_(std::move(directory)), server_(options.server), filter_(options.tier, options.request) {}

    // The newest of all.
    [[nodiscard]] std::vector<LogLine> read_last(size_t count) {
        find_servers();
        std::vector<LogLine> lines =
            merged([&](LogReader& reader) { return reader.read_last(filter_, count); });
        if (lines.size() > count) {
            lines.erase(lines.begin(), lines.end() - static_cast<ptrdiff_t>(count));
        }
        return lines;
    }

    [[nodiscard]] std::vector<LogLine> read_new() {
        find_servers();
        return merged([&](LogReader& reader) { return reader.read_new(filter_); });
    }

    [[nodiscard]] bool is_empty() const { return readers_.empty(); }

private:
    // A server that is new in the file has a log from now on.
    void find_servers() {
        for (const std::string& server : logged_servers(directory_)) {
            std::string path = std::format("{}/{}.log", directory_, server);
            bool is_wanted = server_.empty() || server_ == server;
            if (is_wanted && !std::ranges::contains(readers_, path, &LogReader::path)) {
                readers_.emplace_back(std::move(path));
            }
        }
    }

    // By time; what one server wrote in the same moment stays in its order.
    template <class Read>
    [[nodiscard]] std::vector<LogLine> merged(const Read& read) {
        std::vector<LogLine> all;
        for (LogReader& reader : readers_) {
            std::vector<LogLine> lines = read(reader);
            all.insert(
                all.end(),
                std::make_move_iterator(lines.begin()),
                std::make_move_iterator(lines.end())
            );
        }
        std::ranges::stable_sort(all, {}, &LogLine::time);
        return all;
    }

    std::string directory_;
    std::string server_;
    LogFilter filter_;
    std::vector<LogReader> readers_;
};

void print(const std::vector<LogLine>& lines, OutputFormat format, Console& console) {
    std::string text;
    for (const LogLine& line : lines) {
        text += format == OutputFormat::json
                    ? line.text + "\n"
                    : log_text(line.text, console.is_terminal ? Colour::ansi : Colour::none);
    }
    console.out(text);
}

}  // namespace

int run(const LogsOptions& options, Console& console) {
    auto directory = find_logs(options.site, console);
    if (!directory) {
        return report_no_site(directory.error(), console);
    }
    Stream stream(*directory, options);
    std::vector<LogLine> lines = stream.read_last(options.lines);
    if (stream.is_empty()) {
        std::string whose =
            options.server.empty() ? "no log file is" : std::format("no log file of {} is", options.server);
        console.err(std::format("trilith: {} in {}\n", whose, *directory));
        return kExitFailed;
    }
    print(lines, options.site.format, console);
    if (lines.empty() && !options.request.empty() && !options.is_following) {
        console.err(std::format(
            "trilith: no line names the request {}; servers log requests with [log] requests = true\n",
            options.request
        ));
    }
    while (options.is_following) {
        pause(console.os, kFollowLook);
        print(stream.read_new(), options.site.format, console);
    }
    return kExitDone;
}

}  // namespace node
