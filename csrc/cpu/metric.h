// What a cluster is measured by.
#pragma once

namespace mmi {

enum class Metric { kCosine, kEuclidean };

}  // namespace mmi
