#include "cpu/packed_panels.h"

#include <algorithm>

#include "cpu/blocks.h"

namespace mmi {

PanelSide bank_side(std::int64_t d) {
  return {isa().bank_panel_rows, isa().bank_panel_bytes(d), isa().pack_bank_panel};
}

PanelSide query_side(std::int64_t d) {
  return {isa().query_panel_rows, isa().query_panel_bytes(d), isa().pack_query_panel};
}

PackedPanels packed_panels(const NormedRows& x, const Scaling& scaling, const PanelSide& side,
                           const Execution& execution) {
  constexpr std::int64_t kPanelsPerTask = 8;
  const std::int64_t panels = block_count(x.rows.rows, side.rows);
  const std::int64_t scratch_bytes = isa().pack_scratch_bytes(x.rows.cols);
  PackedPanels packed{aligned_bytes(panels * side.bytes), panels * side.bytes,
                      std::vector<double>(static_cast<std::size_t>(panels * side.rows))};
  parallel_for(execution, block_count(panels, kPanelsPerTask),
               [&](std::int64_t task, int, const StopFlag& stop) {
                 const AlignedBytes scratch = aligned_bytes(scratch_bytes);
                 const std::int64_t end = std::min(panels, (task + 1) * kPanelsPerTask);
                 for (std::int64_t p = task * kPanelsPerTask; p < end; ++p) {
                   stop.leave_if_set();
                   const std::int64_t first = p * side.rows;
                   const std::int64_t past = std::min(x.rows.rows, first + side.rows);
                   side.pack(
                       {x.rows.slice(first, past), x.squared_norms + first, scaling,
                        packed.memory.get() + p * side.bytes, packed.residuals.data() + first},
                       scratch.get());
                 }
               });
  return packed;
}

}  // namespace mmi
