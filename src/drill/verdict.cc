#include "drill/verdict.h"

#include <format>

namespace drill {

namespace {

class Judge {
public:
    void count(std::string_view objective, std::optional<uint32_t> most, uint64_t seen) {
        if (most) {
            add({objective, std::format("at most {}", *most), std::to_string(seen), seen <= *most});
        }
    }

    void time(std::string_view objective, std::optional<core::Duration> most, core::Duration seen) {
        if (most) {
            add({objective, at_most(*most), brief_duration(seen), seen <= *most});
        }
    }

    void add(Judgement judgement) { judgements_.push_back(std::move(judgement)); }

    [[nodiscard]] static std::string at_most(core::Duration most) {
        return "at most " + core::format_duration(most);
    }

    [[nodiscard]] std::vector<Judgement> take() && { return std::move(judgements_); }

private:
    std::vector<Judgement> judgements_;
};

void judge_requests(const Tally& tally, const Objectives& objectives, Judge& judge) {
    const KindTally& requests = of_kind(tally, Kind::request);
    const KindTally& forms = of_kind(tally, Kind::form);
    if (requests.total > 0) {
        judge.count("failed_requests", objectives.failed_requests, requests.failed);
    }
    if (requests.total + forms.total > 0) {
        judge.count("cut_answers", objectives.cut_answers, requests.cut + forms.cut);
    }
    if (forms.total > 0) {
        judge.count("failed_forms", objectives.failed_forms, forms.failed);
    }
}

void judge_writes(const Findings& findings, const Objectives& objectives, Judge& judge) {
    if (!objectives.lost_writes) {
        return;
    }
    if (!findings.ledger_problem.empty()) {
        judge.add(
            {"lost_writes",
             std::format("at most {}", *objectives.lost_writes),
             "not known: " + findings.ledger_problem,
             false}
        );
    } else if (findings.ledger) {
        judge.count("lost_writes", objectives.lost_writes, findings.ledger->wrong());
    }
}

void judge_pauses(const Tally& tally, const Objectives& objectives, Judge& judge) {
    auto pause = [&](std::string_view objective, std::optional<core::Duration> most, Kind kind) {
        const KindTally& seen = of_kind(tally, kind);
        if (seen.total > 0) {
            judge.time(objective, most, seen.longest_pause);
        }
    };
    pause("request_pause", objectives.request_pause, Kind::request);
    pause("write_pause", objectives.write_pause, Kind::write);
    pause("read_pause", objectives.read_pause, Kind::read);
}

}  // namespace

std::vector<Judgement> judge(const Tally& tally, const Findings& findings, const Objectives& objectives) {
    Judge judge;
    judge_requests(tally, objectives, judge);
    judge_writes(findings, objectives, judge);
    const KindTally& reads = of_kind(tally, Kind::read);
    if (reads.total > 0) {
        judge.count("failed_reads", objectives.failed_reads, reads.failed + reads.cut);
    }
    judge_pauses(tally, objectives, judge);
    const Latency& during = of_kind(tally, Kind::request).during;
    if (during.count > 0) {
        judge.time("p99", objectives.p99, during.p99);
    }
    if (findings.recovery) {
        judge.time("recovery", objectives.recovery, *findings.recovery);
    } else {
        judge.add({
            "recovery",
            objectives.recovery ? Judge::at_most(*objectives.recovery) : "a recovery",
            "none",
            false,
        });
    }
    return std::move(judge).take();
}

std::string brief_duration(core::Duration duration) {
    double milliseconds = std::chrono::duration<double, std::milli>(duration).count();
    if (milliseconds < 10) {
        return std::format("{:.1f}ms", milliseconds);
    }
    return milliseconds < 1000 ? std::format("{:.0f}ms", milliseconds)
                               : std::format("{:.2f}s", milliseconds / 1000);
}

}  // namespace drill
