// Which backends take new requests, for each mode and state.
#include "upstream/backend_set.h"

#include <doctest/doctest.h>

namespace upstream {

namespace {

using enum BackendState;
using Indexes = std::vector<uint32_t>;

constexpr BackendSetOptions kPassive{.mode = Mode::active_passive};

BackendView primary(uint32_t id, BackendState state, uint32_t weight = 100) {
    BackendView backend;
    backend.id = id;
    backend.state = state;
    backend.weight = weight;
    backend.effective_weight = weight * kWeightScale;
    return backend;
}

BackendView backup(uint32_t id, BackendState state) {
    BackendView backend = primary(id, state);
    backend.is_backup = true;
    return backend;
}

BackendSetOptions without_failback(std::optional<uint32_t> previous_active_id) {
    return {.mode = Mode::active_passive, .has_failback = false, .previous_active_id = previous_active_id};
}

}  // namespace

TEST_CASE("only_checking_and_up_backends_with_a_weight_take_requests") {
    const BackendSet set = build_backend_set(
        {},
        {primary(1, up),
         primary(2, down),
         primary(3, draining),
         primary(4, disabled),
         primary(5, up, 0),
         primary(6, checking)}
    );
    CHECK(set.rotation() == Indexes{0, 5});
    CHECK(set.standby().empty());
    CHECK(!set.active_id());
    CHECK(set.backends().size() == 6);
}

TEST_CASE("backups_serve_only_when_no_other_backend_is_usable") {
    const BackendSet calm = build_backend_set({}, {backup(1, up), primary(2, up), primary(3, down)});
    CHECK(calm.rotation() == Indexes{1});
    CHECK(calm.standby() == Indexes{0});
    for (const BackendState gone : {down, draining, disabled}) {
        const BackendSet bad = build_backend_set({}, {backup(1, up), primary(2, gone), backup(3, up)});
        CHECK(bad.rotation() == Indexes{0, 2});
        CHECK(bad.standby().empty());
    }
    const BackendSet weightless = build_backend_set({}, {primary(1, up, 0), backup(2, checking)});
    CHECK(weightless.rotation() == Indexes{1});
}

TEST_CASE("nothing_is_usable_when_all_are_down") {
    for (const Mode mode : {Mode::active_active, Mode::active_passive}) {
        const BackendSet set = build_backend_set({.mode = mode}, {primary(1, down), backup(2, down)});
        CHECK(set.rotation().empty());
        CHECK(set.standby().empty());
        CHECK(!set.active_id());
    }
    CHECK(BackendSet().rotation().empty());
}

TEST_CASE("active_passive_gives_all_to_the_first_usable_in_the_order_written") {
    const BackendSet first = build_backend_set(kPassive, {primary(7, up), primary(8, up), backup(9, up)});
    CHECK(first.rotation() == Indexes{0});
    CHECK(first.standby() == Indexes{1, 2});
    CHECK(first.active_id() == 7u);
    const BackendSet next = build_backend_set(kPassive, {primary(7, down), primary(8, up), backup(9, up)});
    CHECK(next.rotation() == Indexes{1});
    CHECK(next.active_id() == 8u);
}

TEST_CASE("an_active_backup_comes_after_all_others_even_when_written_first") {
    const BackendSet set = build_backend_set(kPassive, {backup(1, up), primary(2, up), primary(3, up)});
    CHECK(set.rotation() == Indexes{1});
    CHECK(set.standby() == Indexes{2, 0});
}

TEST_CASE("the_first_takes_back_with_failback_and_not_without") {
    const std::vector<BackendView> recovered{primary(1, up), primary(2, up)};
    CHECK(
        build_backend_set({.mode = Mode::active_passive, .previous_active_id = 2}, recovered).active_id() ==
        1u
    );
    const BackendSet sticky = build_backend_set(without_failback(2), recovered);
    CHECK(sticky.active_id() == 2u);
    CHECK(sticky.rotation() == Indexes{1});
    CHECK(sticky.standby() == Indexes{0});
}

TEST_CASE("without_failback_a_previous_backend_that_cannot_serve_is_replaced_by_the_first") {
    CHECK(build_backend_set(without_failback(2), {primary(1, up), primary(2, draining)}).active_id() == 1u);
    CHECK(build_backend_set(without_failback(99), {primary(1, up), primary(2, up)}).active_id() == 1u);
    CHECK(
        build_backend_set(without_failback(std::nullopt), {primary(1, up), primary(2, up)}).active_id() == 1u
    );
}

TEST_CASE("a_backup_gives_back_even_without_failback") {
    CHECK(build_backend_set(without_failback(2), {primary(1, up), backup(2, up)}).active_id() == 1u);
    CHECK(
        build_backend_set(without_failback(3), {primary(1, down), backup(2, up), backup(3, up)})
            .active_id() == 3u
    );
}

TEST_CASE("active_active_has_no_active_backend_to_remember") {
    const BackendSet set = build_backend_set(
        {.mode = Mode::active_active, .has_failback = false, .previous_active_id = 2},
        {primary(1, up), primary(2, up)}
    );
    CHECK(set.rotation() == Indexes{0, 1});
    CHECK(!set.active_id());
}

TEST_CASE("state_names_are_those_of_the_status") {
    CHECK(std::string_view(backend_state_name(checking)) == "checking");
    CHECK(std::string_view(backend_state_name(up)) == "up");
    CHECK(std::string_view(backend_state_name(down)) == "down");
    CHECK(std::string_view(backend_state_name(draining)) == "draining");
    CHECK(std::string_view(backend_state_name(disabled)) == "disabled");
}

}  // namespace upstream
