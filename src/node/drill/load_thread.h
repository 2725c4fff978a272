// The load of a drill on a thread of its own, so that whoever leads the drill may wait for other things.
#pragma once

#include <memory>
#include <optional>

#include "core/result.h"
#include "drill/load.h"
#include "runtime/cores.h"
#include "runtime/os.h"
#include "runtime/reactor.h"

namespace node {

class LoadThread {
public:
    // `os` outlives it.
    [[nodiscard]] static core::Result<std::unique_ptr<LoadThread>> open(
        runtime::Os& os,
        drill::LoadOptions options
    );
    ~LoadThread() { finish(); }
    LoadThread(const LoadThread&) = delete;
    LoadThread& operator=(const LoadThread&) = delete;

    // On this thread, before start() and after finish().
    [[nodiscard]] core::Result<void> prepare(core::Duration within);
    [[nodiscard]] core::Result<drill::LedgerCheck> check(core::Duration within);

    void start();
    // Nothing new becomes due; waits until what was due has its outcome.
    void finish();

    // While it runs only its counters may be read.
    [[nodiscard]] const drill::Load& load() const { return load_; }

private:
    LoadThread(std::unique_ptr<runtime::Reactor> reactor, drill::LoadOptions options)
        : reactor_(std::move(reactor)), load_(*reactor_, std::move(options)) {}

    std::unique_ptr<runtime::Reactor> reactor_;
    drill::Load load_;
    std::optional<runtime::Cores> thread_;
};

}  // namespace node
