// The clients of a drill: those that ask for its paths in turn, and those that send its forms. They are
// apart, so that forms that wait for a primary keep nobody from asking.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "drill/client.h"
#include "drill/config.h"
#include "drill/pacer.h"
#include "drill/record.h"

namespace drill {

class ClientLoad final : public Work {
public:
    // `kind` is request or form, of which `config` has at least one. All that is referred to outlives it.
    // `first_number`: what "{number}" of the first form is.
    ClientLoad(ClientWorld& world, Kind kind, const Config& config, Record& record, uint64_t first_number);

    [[nodiscard]] runtime::Task<void> work(size_t worker, Turn turn) override;
    void give_up(Turn turn) override;

private:
    struct Person {
        explicit Person(ClientWorld& world) : client(world) {}

        Client client;
        std::vector<std::string> tokens;  // a form; empty: not loaded
    };

    [[nodiscard]] runtime::Task<void> get(Person& person, size_t path, core::Instant due);
    [[nodiscard]] runtime::Task<void> send_form(Person& person, uint64_t number, core::Instant due);
    // False: there is none, and why is recorded.
    [[nodiscard]] runtime::Task<bool> load_token(Person& person, size_t form, core::Instant due);
    void add(Kind kind, const ClientAnswer& answer, core::Instant due);

    ClientWorld& world_;
    Kind kind_;
    const Config& config_;
    Record& record_;
    uint64_t first_number_;
    std::vector<std::unique_ptr<Person>> people_;  // a worker
};

}  // namespace drill
