// One drill from its first look to its judgement: load, deed, recovery, tail, what was lost.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "drill/load.h"
#include "drill/verdict.h"
#include "node/drill/plan.h"
#include "node/drill/site.h"
#include "node/verbs/interruption.h"

namespace node {

struct DrillReport {
    std::string name;
    std::string deed;     // what was done; empty: nothing was
    std::string problem;  // why it ended before its end; empty: it did not
    drill::Moments moments;
    drill::Tally tally;
    drill::Findings findings;
    bool has_statements = false;
    std::vector<std::pair<std::string, core::Duration>> recoveries;  // by tier, of those that were missed
    std::vector<std::string> missing;                                // what had not recovered
    std::vector<drill::Judgement> judgements;

    // It came to its end and met every objective.
    [[nodiscard]] bool has_passed() const;
};

class LoadThread;

enum class Force : uint8_t { no, yes };

class DrillRun {
public:
    // All outlive it. With `force` also a site that is not whole, or whose clients have failures already.
    DrillRun(
        const DrillSite& site,
        const DrillEntry& entry,
        Force force,
        Console& console,
        Interruption& interruption
    )
        : site_(site), entry_(entry), force_(force), console_(console), interruption_(interruption) {}

    // Fails where nothing was begun: the site is not whole, nothing of the kind is there, its table cannot be
    // made.
    [[nodiscard]] core::Result<DrillReport> run();

private:
    [[nodiscard]] core::Result<void> prepare();
    [[nodiscard]] drill::LoadOptions load_options(const net::Address& address);
    void conduct(LoadThread& load);
    [[nodiscard]] bool keep_steady(LoadThread& load);
    void do_deed();
    void await_recovery(LoadThread& load);
    void undo();
    void judge(const drill::Load& load);
    void tell(const std::string& sentence);
    void tell_progress(const LoadThread& load, const std::string& phase);
    // Waits, telling the progress every second. False: it was interrupted.
    [[nodiscard]] bool wait(core::Duration duration, const LoadThread& load, const std::string& phase);

    const DrillSite& site_;
    const DrillEntry& entry_;
    Force force_;
    Console& console_;
    Interruption& interruption_;
    DrillTarget target_;
    net::Address address_;
    core::Instant told_at_;
    DrillReport report_;
};

// Waits until the site is whole, at most so long: what is missing then.
[[nodiscard]] std::vector<MissingPart> await_whole(
    const DrillSite& site,
    core::Duration within,
    Interruption& interruption
);

}  // namespace node
