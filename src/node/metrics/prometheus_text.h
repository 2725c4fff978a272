// Writes the text format of Prometheus, version 0.0.4: families of samples with labels.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "node/status/status.h"

namespace node {

enum class MetricKind : uint8_t { counter, gauge, histogram };

struct MetricLabel {
    std::string_view name;
    std::string_view value;  // any bytes: escaped where it is written
};

using MetricLabels = std::initializer_list<MetricLabel>;

// A family with one sample for each `Subject`.
template <class Subject>
struct MetricFamily {
    std::string_view name;
    MetricKind kind;
    std::string_view help;
    double (*value)(const Subject&);
};

[[nodiscard]] constexpr double metric_number(auto value) { return static_cast<double>(value); }

[[nodiscard]] constexpr double metric_seconds(core::Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

// A page that grows line by line. All samples of a family must stand together behind its head, and no two of
// a family may have the same labels.
class PrometheusText {
public:
    // Begins a family. `help` is one line.
    void family(std::string_view name, MetricKind kind, std::string_view help);

    // A sample of the family begun last. Whole numbers are exact up to 2^53.
    void sample(MetricLabels labels, double value) { line("", labels, {}, value); }

    // All series of one histogram, in seconds; its family must have begun last. The count is the sum of the
    // buckets, so that the two never disagree.
    void histogram(MetricLabels labels, const HistogramStatus& histogram);

    [[nodiscard]] std::string take() && { return std::move(text_); }

private:
    void line(std::string_view suffix, MetricLabels labels, MetricLabel last, double value);
    void append(char before, const MetricLabel& label);

    std::string name_;
    std::string text_;
};

}  // namespace node
