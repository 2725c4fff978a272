#include "node/drill/run.h"

#include <algorithm>
#include <format>

#include "node/drill/load_thread.h"

namespace node {

using core::ErrorKind;
using core::fail;

namespace {

constexpr core::Duration kLookPause = std::chrono::milliseconds(100);
constexpr core::Duration kTellPause = std::chrono::seconds(1);
constexpr core::Duration kTableTime = std::chrono::seconds(30);
constexpr core::Duration kCheckTime = std::chrono::seconds(60);
// Longer than a cluster needs to fence a primary that is mute; then it goes on by itself.
constexpr core::Duration kFreezeTime = std::chrono::seconds(20);
constexpr uint64_t kFormsPerSecondMax = 10'000;

double seconds_between(core::Instant from, core::Instant to) {
    return std::chrono::duration<double>(to - from).count();
}

std::string first_of(const std::vector<MissingPart>& missing) {
    std::string text = missing.front().sentence;
    return missing.size() == 1 ? text : std::format("{} (and {} more)", text, missing.size() - 1);
}

// The path that says whether the site is well: of the first tier that has one.
std::string health_path(const Config& config) {
    if (config.web) {
        return config.web->health_path;
    }
    return config.app ? config.app->program.health.path : "";
}

}  // namespace

bool DrillReport::has_passed() const {
    return problem.empty() && !deed.empty() && std::ranges::all_of(judgements, &drill::Judgement::is_met);
}

std::vector<MissingPart> await_whole(
    const DrillSite& site,
    core::Duration within,
    Interruption& interruption
) {
    std::vector<MissingPart> missing = missing_parts(site.look(), site.config());
    int looks = static_cast<int>(within / kLookPause);
    for (int look = 0; look < looks && !missing.empty() && !interruption.pause(kLookPause); ++look) {
        missing = missing_parts(site.look(), site.config());
    }
    return missing;
}

void DrillRun::tell(const std::string& sentence) {
    console_.err(std::format(
        "drill {}: {:+.1f}s {}\n",
        entry_.name,
        seconds_between(report_.moments.begun, console_.os.now()),
        sentence
    ));
}

void DrillRun::tell_progress(const LoadThread& load, const std::string& phase) {
    core::Instant now = console_.os.now();
    if (now - told_at_ >= kTellPause) {
        told_at_ = now;
        const drill::Record& record = load.load().record();
        tell(std::format("{}: {} done, {} failed", phase, record.done.value(), record.failed.value()));
    }
}

bool DrillRun::wait(core::Duration duration, const LoadThread& load, const std::string& phase) {
    core::Instant end = console_.os.now() + duration;
    while (console_.os.now() < end) {
        core::Duration rest = end - console_.os.now();
        if (interruption_.pause(std::min(rest, kTellPause))) {
            return false;
        }
        tell_progress(load, phase);
    }
    return true;
}

core::Result<void> DrillRun::prepare() {
    SiteView view = site_.look();
    bool needs_up = !is_order(entry_.kind) || force_ == Force::no;
    if (!view.up && needs_up) {
        return fail(ErrorKind::refused, "the site is not run by `trilith up`, which does what a drill needs");
    }
    std::vector<MissingPart> missing = missing_parts(view, site_.config());
    if (!missing.empty() && force_ == Force::no) {
        return fail(
            ErrorKind::refused,
            std::format("the site is not whole: {}; --force does it all the same", first_of(missing))
        );
    }
    TRY(target_, choose_target(entry_, view));
    TRY(address_, site_.address(view));
    return {};
}

drill::LoadOptions DrillRun::load_options(const net::Address& address) {
    const Config& config = site_.config();
    drill::LoadOptions options{
        .config = config.drill,
        .address = address,
        .host = config.site,
        .databases = {}
    };
    if (options.config.requests.empty()) {
        options.config.requests = {"/"};
        if (std::string health = health_path(config); !health.empty()) {
            options.config.requests.push_back(std::move(health));
        }
    }
    if (config.drill.statements > 0) {
        // A program on a server that is killed dies with it, and so does what it asked of the router there.
        options.databases = site_.databases(target_.kind == DrillKind::server ? target_.server : "");
    }
    options.seed = console_.os.random_number();
    auto wall = std::chrono::duration_cast<std::chrono::seconds>(console_.os.wall_time().since_epoch);
    options.first_number = static_cast<uint64_t>(wall.count()) * kFormsPerSecondMax;
    return options;
}

core::Result<DrillReport> DrillRun::run() {
    report_.name = entry_.name;
    report_.moments.begun = told_at_ = console_.os.now();
    TRY_VOID(prepare());
    TRY(auto load, LoadThread::open(console_.os, load_options(address_)));
    report_.has_statements = load->load().has_statements();
    if (auto made = load->prepare(kTableTime); !made) {
        return fail(
            made.error().kind(),
            made.error().context() + "; `statements = 0` in [drill] leaves the database out"
        );
    }
    report_.moments.begun = told_at_ = console_.os.now();
    const drill::Config& config = site_.config().drill;
    tell(std::format(
        "{} requests/s to {}, {} statements/s",
        config.rate,
        address_.to_string(),
        report_.has_statements ? config.statements : 0
    ));
    load->start();
    conduct(*load);
    undo();
    report_.moments.ended = console_.os.now();
    load->finish();
    if (report_.has_statements) {
        auto check = load->check(kCheckTime);
        if (check) {
            report_.findings.ledger = *check;
        } else {
            report_.findings.ledger_problem = check.error().context();
        }
    }
    judge(load->load());
    return std::move(report_);
}

void DrillRun::conduct(LoadThread& load) {
    if (!keep_steady(load)) {
        return;
    }
    do_deed();
    if (!report_.problem.empty()) {
        return;
    }
    await_recovery(load);
    if (!interruption_.has_come() && !wait(site_.config().drill.tail, load, "tail")) {
        report_.problem = "interrupted";
    }
}

bool DrillRun::keep_steady(LoadThread& load) {
    if (!wait(site_.config().drill.steady, load, "steady")) {
        report_.problem = "interrupted before anything was done";
        return false;
    }
    const drill::Record& record = load.load().record();
    if (uint64_t failed = record.failed.value(); failed > 0 && force_ == Force::no) {
        report_.problem = std::format(
            "nothing was done: {} of {} requests and statements failed before; --force does it all the same",
            failed,
            record.done.value()
        );
        return false;
    }
    return true;
}

void DrillRun::do_deed() {
    report_.moments.deed = console_.os.now();
    if (entry_.kind == DrillKind::drain) {
        tell("drains " + target_.server);
    }
    if (auto done = site_.do_deed(target_, kFreezeTime); !done) {
        report_.problem = "it could not be done: " + done.error().context();
        report_.moments.deed = core::Instant::never();
        return;
    }
    switch (entry_.kind) {
        case DrillKind::reload: report_.deed = "every server has read the file again"; break;
        case DrillKind::weights:
            report_.deed = "the weight of " + target_.server + " was 1, then 256, and is its own again";
            break;
        case DrillKind::drain:
            report_.deed = target_.server + " was drained until it could be switched off, and enabled";
            break;
        case DrillKind::freeze_primary: report_.deed = target_.what + " was stopped (SIGSTOP)"; break;
        default: report_.deed = target_.what + " was killed (SIGKILL)"; break;
    }
    tell(report_.deed);
}

void DrillRun::await_recovery(LoadThread& load) {
    core::Instant deed = report_.moments.deed;
    core::Instant end = deed + site_.config().drill.within;
    for (;;) {
        SiteView view = site_.look();
        core::Instant now = console_.os.now();
        std::vector<MissingPart> missing = missing_parts(view, site_.config());
        if (missing.empty() && !is_replaced(target_, view)) {
            missing.push_back({"", target_.what + " has no successor yet"});
        }
        for (const MissingPart& part : missing) {
            auto known =
                std::ranges::find(report_.recoveries, part.tier, [](const auto& one) { return one.first; });
            if (part.tier.empty()) {
                continue;
            }
            core::Duration so_far = now + kLookPause - deed;
            known == report_.recoveries.end() ? void(report_.recoveries.emplace_back(part.tier, so_far))
                                              : void(known->second = so_far);
        }
        if (missing.empty()) {
            report_.moments.recovered = now;
            report_.findings.recovery = now - deed;
            tell(std::format("everything is as it was, {} later", drill::brief_duration(now - deed)));
            return;
        }
        tell_progress(load, "recovering, " + first_of(missing));
        if (now >= end || interruption_.pause(kLookPause)) {
            report_.problem = interruption_.has_come() ? "interrupted" : "";
            for (const MissingPart& part : missing) {
                report_.missing.push_back(part.sentence);
            }
            return;
        }
    }
}

void DrillRun::undo() {
    if (entry_.kind != DrillKind::freeze_primary || report_.deed.empty()) {
        return;
    }
    if (auto undone = site_.undo(); !undone) {
        tell("letting it go on: " + undone.error().context() + "; `up` does so by itself in time");
    }
}

void DrillRun::judge(const drill::Load& load) {
    report_.tally = drill::count_samples(load.record().samples, report_.moments);
    report_.judgements = drill::judge(report_.tally, report_.findings, site_.config().objectives);
}

}  // namespace node
