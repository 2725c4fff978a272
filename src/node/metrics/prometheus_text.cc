#include "node/metrics/prometheus_text.h"

#include <chrono>
#include <format>
#include <iterator>

#include "node/status/status.h"

namespace node {

namespace {

std::string_view kind_name(MetricKind kind) {
    switch (kind) {
        case MetricKind::counter: return "counter";
        case MetricKind::gauge: return "gauge";
        case MetricKind::histogram: return "histogram";
    }
    return "untyped";
}

std::string bound_of(size_t bucket) {
    if (bucket == core::Histogram::kBounds.size()) {
        return "+Inf";
    }
    return std::format("{:g}", std::chrono::duration<double>(core::Histogram::kBounds[bucket]).count());
}

}  // namespace

void PrometheusText::family(std::string_view name, MetricKind kind, std::string_view help) {
    name_ = name;
    std::format_to(
        std::back_inserter(text_),
        "# HELP {0} {1}\n# TYPE {0} {2}\n",
        name,
        help,
        kind_name(kind)
    );
}

void PrometheusText::histogram(MetricLabels labels, const HistogramStatus& histogram) {
    uint64_t below = 0;
    for (size_t bucket = 0; bucket < histogram.buckets.size(); ++bucket) {
        below += histogram.buckets[bucket];
        line("_bucket", labels, {.name = "le", .value = bound_of(bucket)}, static_cast<double>(below));
    }
    line("_sum", labels, {}, static_cast<double>(histogram.sum_nanoseconds) / kNanosecondsPerSecond);
    line("_count", labels, {}, static_cast<double>(below));
}

void PrometheusText::line(std::string_view suffix, MetricLabels labels, MetricLabel last, double value) {
    text_ += name_;
    text_ += suffix;
    char before = '{';
    for (const MetricLabel& label : labels) {
        append(before, label);
        before = ',';
    }
    if (!last.name.empty()) {
        append(before, last);
        before = ',';
    }
    text_ += before == ',' ? "} " : " ";
    std::format_to(std::back_inserter(text_), "{}\n", value);
}

void PrometheusText::append(char before, const MetricLabel& label) {
    text_ += before;
    text_ += label.name;
    text_ += "=\"";
    for (char byte : label.value) {
        switch (byte) {
            case '\\': text_ += "\\\\"; break;
            case '"': text_ += "\\\""; break;
            case '\n': text_ += "\\n"; break;
            default: text_ += byte;
        }
    }
    text_ += '"';
}

}  // namespace node
