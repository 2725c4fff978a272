#include "node/drill/command.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <format>

#include "node/config/names.h"
#include "node/drill/report.h"
#include "node/drill/run.h"
#include "node/verbs/verb_answers.h"
#include "runtime/descriptor.h"

namespace node {

using core::ErrorKind;
using core::fail;

namespace {

// The drills that were asked for; invalid: there is no such one.
core::Result<std::vector<DrillEntry>> chosen(const std::string& name, std::vector<DrillEntry> entries) {
    if (name == "all") {
        std::erase_if(entries, [](const DrillEntry& entry) { return !entry.single.empty(); });
        return entries;
    }
    auto found = std::ranges::find(entries, name, &DrillEntry::name);
    if (found != entries.end()) {
        return std::vector{*found};
    }
    std::vector<std::string_view> names{"list", "all"};
    for (const DrillEntry& entry : entries) {
        names.push_back(entry.name);
    }
    return fail(
        ErrorKind::invalid,
        std::format("this site has no drill \"{}\"{}", name, suggestion(name, names, "drills"))
    );
}

// Two drills at a time would take each other's failures for their own. The lock is that of the directory of
// the site's sockets, and ends with us.
core::Result<runtime::Descriptor> lock_site(const std::string& directory) {
    runtime::Descriptor lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock.is_open()) {
        return fail(core::Error::of_errno(errno, directory));
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        return fail(ErrorKind::conflict, "another drill runs on this site");
    }
    return lock;
}

// Those that were begun. Ends with the first that cannot be begun, which is told.
std::vector<DrillReport> run_all(
    const DrillSite& site,
    const std::vector<DrillEntry>& entries,
    Force force,
    Console& console,
    bool& is_whole
) {
    Interruption interruption;
    std::vector<DrillReport> reports;
    for (const DrillEntry& entry : entries) {
        if (!reports.empty()) {
            [[maybe_unused]] auto missing = await_whole(site, site.config().drill.within, interruption);
        }
        if (interruption.has_come()) {
            is_whole = false;
            break;
        }
        auto report = DrillRun(site, entry, force, console, interruption).run();
        if (!report) {
            console.err(std::format("trilith: drill {}: {}\n", entry.name, report.error().context()));
            is_whole = false;
            break;
        }
        reports.push_back(*std::move(report));
    }
    return reports;
}

}  // namespace

int run(const DrillOptions& options, Console& console) {
    bool is_json = options.site.format == OutputFormat::json;
    auto site = DrillSite::find(options.site, console);
    if (!site) {
        return report_no_site(site.error(), console);
    }
    std::vector<DrillEntry> entries = drills_of(site->config(), site->look());
    if (options.name == "list") {
        console.out(is_json ? drill_list_json(entries) : drill_list_text(entries));
        return kExitDone;
    }
    auto to_do = chosen(options.name, std::move(entries));
    if (!to_do) {
        [[maybe_unused]] int failed = report_error(to_do.error(), console);
        return kExitWrongUse;
    }
    auto lock = lock_site(site->sockets_directory());
    if (!lock) {
        return report_error(lock.error(), console);
    }
    bool is_whole = true;
    Force force = options.is_forced ? Force::yes : Force::no;
    std::vector<DrillReport> reports = run_all(*site, *to_do, force, console, is_whole);
    if (is_json) {
        console.out(drills_json(reports));
    } else if (options.name == "all") {
        console.out(drills_table(reports));
    } else if (!reports.empty()) {
        console.out(drill_text(reports.front()));
    }
    bool has_passed = is_whole && std::ranges::all_of(reports, &DrillReport::has_passed);
    return has_passed ? kExitDone : kExitFailed;
}

}  // namespace node
