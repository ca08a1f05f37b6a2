// All panels of one side of a scan, packed by all threads.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/aligned.h"
#include "cpu/isa.h"
#include "cpu/parallel.h"
#include "cpu/scores.h"

namespace mmi {

// One side of a tile: how many rows a panel takes, how many bytes, and what packs it.
struct PanelSide {
  std::int64_t rows;
  std::int64_t bytes;
  void (*pack)(const PackJob& job, std::byte* scratch);
};

PanelSide bank_side(std::int64_t d);
PanelSide query_side(std::int64_t d);

struct PackedPanels {
  AlignedBytes memory;
  std::int64_t bytes;
  std::vector<double> residuals;  // |row - packed row|, per row of whole panels
};

PackedPanels packed_panels(const NormedRows& x, const Scaling& scaling, const PanelSide& side,
                           const Execution& execution);

}  // namespace mmi
