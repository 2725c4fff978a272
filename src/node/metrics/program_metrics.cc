#include "node/metrics/program_metrics.h"

#include <array>
#include <string>
#include <string_view>

namespace node {

namespace {

using enum MetricKind;
using InstanceRef = const InstanceStatus&;

constexpr std::array<std::string_view, 5> kStates{"starting", "up", "waiting", "stopping", "ended"};

constexpr MetricFamily<InstanceStatus> kInstances[]{
    {"trilith_instance_up",
     gauge,
     "1: it runs and its health check succeeds.",
     [](InstanceRef i) { return metric_number(i.state == "up"); }},
    {"trilith_instance_restarts_total",
     counter,
     "How often it was started again after it had ended by itself.",
     [](InstanceRef i) { return metric_number(i.restarts_total); }},
    {"trilith_instance_resident_bytes",
     gauge,
     "Memory of all its processes.",
     [](InstanceRef i) { return metric_number(i.memory_bytes); }},
    {"trilith_instance_last_change_seconds",
     gauge,
     "How long ago its state changed.",
     [](InstanceRef i) { return metric_seconds(i.since_change); }},
};

}  // namespace

void add_program(PrometheusText& page, const AppStatus& status) {
    auto each_instance = [&](auto visit) {
        for (InstanceRef instance : status.instances) {
            std::string generation = std::to_string(instance.generation);
            visit(MetricLabel{"instance", instance.name}, MetricLabel{"generation", generation}, instance);
        }
    };
    for (const auto& family : kInstances) {
        page.family(family.name, family.kind, family.help);
        each_instance([&](MetricLabel name, MetricLabel generation, InstanceRef instance) {
            page.sample({name, generation}, family.value(instance));
        });
    }
    page.family("trilith_instance_state", gauge, "State of the instance, per state label value.");
    each_instance([&](MetricLabel name, MetricLabel generation, InstanceRef instance) {
        for (std::string_view state : kStates) {
            page.sample({name, generation, {"state", state}}, metric_number(instance.state == state));
        }
    });
    page.family("trilith_app_restart_running", gauge, "1: the instances are being replaced by order.");
    page.sample({}, metric_number(status.restart.is_running));
}

}  // namespace node
