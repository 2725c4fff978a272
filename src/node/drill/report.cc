#include "node/drill/report.h"

#include <array>
#include <format>

#include <nlohmann/json.hpp>

#include "node/terminal/text_table.h"

namespace node {

using drill::brief_duration;
using drill::Kind;
using drill::KindTally;

namespace {

using ReportJson = nlohmann::ordered_json;

struct KindName {
    Kind kind;
    std::string_view text;  // several of them
    const char* key;
};

constexpr std::array<KindName, drill::kKindCount> kKindNames{{
    {Kind::request, "requests", "requests"},
    {Kind::form, "forms", "forms"},
    {Kind::write, "database writes", "writes"},
    {Kind::read, "database reads", "reads"},
}};

double in_seconds(core::Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string seen_latency_text(const drill::Latency& latency) {
    return latency.count == 0
               ? "-"
               : std::format("{} / {}", brief_duration(latency.p50), brief_duration(latency.p99));
}

std::string failures_text(const KindTally& tally) {
    std::string text;
    for (const auto& [name, count] : tally.failures) {
        text += std::format("{}{}: {}", text.empty() ? "" : ", ", name, count);
    }
    return text;
}

std::string kinds_table(const drill::Tally& tally) {
    constexpr TextLayout kLayout{.indent = 2};
    TextTable table(
        {Align::left,
         Align::right,
         Align::right,
         Align::right,
         Align::right,
         Align::right,
         Align::right,
         Align::left}
    );
    table.add_row(
        {{""},
         {"ALL"},
         {"FAILED"},
         {"CUT"},
         {"LONGEST PAUSE"},
         {"P50 / P99 BEFORE"},
         {"P50 / P99 DURING"},
         {"FAILURES"}}
    );
    for (const KindName& name : kKindNames) {
        const KindTally& seen = of_kind(tally, name.kind);
        if (seen.total > 0) {
            table.add_row(
                {{std::string(name.text)},
                 {std::to_string(seen.total)},
                 {std::to_string(seen.failed)},
                 {std::to_string(seen.cut)},
                 {brief_duration(seen.longest_pause)},
                 {seen_latency_text(seen.before)},
                 {seen_latency_text(seen.during)},
                 {failures_text(seen)}}
            );
        }
    }
    std::string text;
    table.append_to(text, kLayout);
    return text;
}

std::string ledger_text(const DrillReport& report) {
    if (!report.has_statements) {
        return "  no statements were run: nothing is said about the database\n";
    }
    if (!report.findings.ledger_problem.empty()) {
        return "  whether writes were lost is not known: " + report.findings.ledger_problem + "\n";
    }
    const drill::LedgerCheck ledger = report.findings.ledger.value_or(drill::LedgerCheck());
    std::string text = std::format("  {} acknowledged writes: {} lost", ledger.acknowledged, ledger.lost);
    if (uint64_t others = ledger.wrong() - ledger.lost; others > 0) {
        text += std::format(
            ", {} there twice, {} changed, {} of nobody",
            ledger.doubled,
            ledger.changed,
            ledger.strange
        );
    }
    bool is_equal = ledger.sum_acknowledged == ledger.sum_found;
    return text + (is_equal ? ", their sum is as it was\n" : ", and their sum is another\n");
}

std::string recovery_text(const DrillReport& report) {
    std::string text;
    if (report.findings.recovery) {
        text = std::format("  everything as it was after {}", brief_duration(*report.findings.recovery));
    } else if (!report.deed.empty()) {
        text = "  not as it was when the drill ended";
    } else {
        return "";
    }
    std::string_view before = ": ";
    for (const auto& [tier, after] : report.recoveries) {
        text += std::format("{}{} {}", before, tier, brief_duration(after));
        before = ", ";
    }
    text += "\n";
    for (const std::string& sentence : report.missing) {
        text += "    " + sentence + "\n";
    }
    return text;
}

std::string judgement_line(const drill::Judgement& judgement) {
    return std::format(
        "{} {}: {}, {}",
        judgement.is_met ? "met   " : "FAILED",
        judgement.objective,
        judgement.seen,
        judgement.wanted
    );
}

std::string_view verdict_of(const DrillReport& report) { return report.has_passed() ? "passed" : "FAILED"; }

ReportJson json_of(const drill::Latency& latency) {
    if (latency.count == 0) {
        return nullptr;
    }
    return {
        {"count", latency.count},
        {"p50_seconds", in_seconds(latency.p50)},
        {"p99_seconds", in_seconds(latency.p99)}
    };
}

ReportJson json_of(const KindTally& tally) {
    return {
        {"total", tally.total},
        {"failed", tally.failed},
        {"cut", tally.cut},
        {"failures", tally.failures},
        {"longest_pause_seconds", in_seconds(tally.longest_pause)},
        {"pause_began_seconds", in_seconds(tally.pause_began)},
        {"before", json_of(tally.before)},
        {"during", json_of(tally.during)},
    };
}

ReportJson json_of(const drill::LedgerCheck& ledger) {
    return {
        {"acknowledged", ledger.acknowledged},
        {"lost", ledger.lost},
        {"doubled", ledger.doubled},
        {"changed", ledger.changed},
        {"strange", ledger.strange},
        {"same_sum", ledger.sum_acknowledged == ledger.sum_found},
    };
}

ReportJson json_of(const DrillReport& report) {
    ReportJson document = {
        {"name", report.name},
        {"passed", report.has_passed()},
        {"deed", report.deed},
        {"problem", report.problem},
    };
    for (const KindName& name : kKindNames) {
        document[name.key] = json_of(of_kind(report.tally, name.kind));
    }
    document["ledger"] = report.findings.ledger ? json_of(*report.findings.ledger) : ReportJson(nullptr);
    document["ledger_problem"] = report.findings.ledger_problem;
    document["recovery_seconds"] =
        report.findings.recovery ? ReportJson(in_seconds(*report.findings.recovery)) : ReportJson(nullptr);
    document["recoveries"] = ReportJson::array();
    for (const auto& [tier, after] : report.recoveries) {
        document["recoveries"].push_back({{"tier", tier}, {"seconds", in_seconds(after)}});
    }
    document["missing"] = report.missing;
    document["objectives"] = ReportJson::array();
    for (const drill::Judgement& judgement : report.judgements) {
        document["objectives"].push_back(
            {{"objective", judgement.objective},
             {"wanted", judgement.wanted},
             {"seen", judgement.seen},
             {"met", judgement.is_met}}
        );
    }
    return document;
}

std::string report_line(const ReportJson& document) {
    return document.dump(-1, ' ', false, ReportJson::error_handler_t::replace) + "\n";
}

}  // namespace

std::string drill_text(const DrillReport& report) {
    std::string text =
        std::format("drill {}: {}\n", report.name, report.deed.empty() ? "nothing was done" : report.deed);
    text += report.problem.empty() ? "" : "  " + report.problem + "\n";
    text += kinds_table(report.tally) + ledger_text(report) + recovery_text(report);
    for (const drill::Judgement& judgement : report.judgements) {
        text += "  " + judgement_line(judgement) + "\n";
    }
    return text + std::format("{}\n", verdict_of(report));
}

std::string drills_table(std::span<const DrillReport> reports) {
    TextTable table({
        Align::left,
        Align::left,
        Align::right,
        Align::right,
        Align::right,
        Align::right,
        Align::right,
        Align::right,
        Align::right,
        Align::right,
    });
    table.add_row(
        {{"DRILL"},
         {"VERDICT"},
         {"REQUESTS"},
         {"FAILED"},
         {"CUT"},
         {"PAUSE"},
         {"P99"},
         {"WRITE PAUSE"},
         {"LOST"},
         {"RECOVERED"}}
    );
    std::string unmet;
    for (const DrillReport& report : reports) {
        const KindTally& requests = of_kind(report.tally, Kind::request);
        const KindTally& writes = of_kind(report.tally, Kind::write);
        const auto& findings = report.findings;
        table.add_row(
            {{report.name},
             {std::string(verdict_of(report))},
             {std::to_string(requests.total)},
             {std::to_string(requests.failed)},
             {std::to_string(requests.cut + of_kind(report.tally, Kind::form).cut)},
             {brief_duration(requests.longest_pause)},
             {requests.during.count == 0 ? "-" : brief_duration(requests.during.p99)},
             {writes.total == 0 ? "-" : brief_duration(writes.longest_pause)},
             {findings.ledger ? std::to_string(findings.ledger->wrong()) : "-"},
             {findings.recovery ? brief_duration(*findings.recovery) : "no"}}
        );
        unmet += report.problem.empty() ? "" : std::format("{}: {}\n", report.name, report.problem);
        for (const drill::Judgement& judgement : report.judgements) {
            unmet += judgement.is_met ? "" : std::format("{}: {}\n", report.name, judgement_line(judgement));
        }
    }
    std::string text;
    table.append_to(text, {});
    return text + unmet;
}

std::string drill_list_text(std::span<const DrillEntry> entries) {
    TextTable table({Align::left, Align::left, Align::left});
    table.add_row({{"DRILL"}, {"DOES"}, {"NOT IN ALL"}});
    for (const DrillEntry& entry : entries) {
        table.add_row({{entry.name}, {entry.does}, {entry.single}});
    }
    table.add_row({{"all"}, {"each of them in turn, but for what would break the only one of its kind"}, {""}}
    );
    std::string text;
    table.append_to(text, {});
    return text;
}

std::string drills_json(std::span<const DrillReport> reports) {
    ReportJson document = {{"drills", ReportJson::array()}};
    bool has_passed = !reports.empty();
    for (const DrillReport& report : reports) {
        document["drills"].push_back(json_of(report));
        has_passed = has_passed && report.has_passed();
    }
    document["passed"] = has_passed;
    return report_line(document);
}

std::string drill_list_json(std::span<const DrillEntry> entries) {
    ReportJson document = {{"drills", ReportJson::array()}};
    for (const DrillEntry& entry : entries) {
        document["drills"].push_back(
            {{"name", entry.name}, {"does", entry.does}, {"not_in_all", entry.single}}
        );
    }
    return report_line(document);
}

}  // namespace node
