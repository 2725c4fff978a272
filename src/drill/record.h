// Where the parts of a load write what became of their requests.
#pragma once

#include <vector>

#include "core/metrics.h"
#include "drill/sample.h"

namespace drill {

// Written by the load's thread; the counters may be read by any other, the samples when the load is over.
struct Record {
    std::vector<Sample> samples;
    core::Counter done;    // all samples
    core::Counter failed;  // those of them that are not good

    void add(const Sample& sample) {
        samples.push_back(sample);
        done.add();
        failed.add(sample.outcome == Outcome::good ? 0 : 1);
    }
};

}  // namespace drill
