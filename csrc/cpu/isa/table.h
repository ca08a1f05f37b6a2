// The table of one instruction set, from its tile.
#pragma once

#include "cpu/isa/assign_block.h"
#include "cpu/isa/join_block.h"
#include "cpu/isa/row_sums.h"
#include "cpu/isa/topk_block.h"

namespace mmi {
namespace {

template <typename Tile>
constexpr IsaKernels kernels_of(const char* name) {
  return {name,
          Tile::kRows,
          Tile::kLanes,
          Tile::kBiasWidth,
          &Tile::bank_panel_bytes,
          &Tile::query_panel_bytes,
          &pack_scratch_bytes<Tile>,
          &squared_norms_of,
          &exact_dots_of,
          &row_dots,
          &add_rows,
          &largest_bits,
          &pack_panel<Tile, Side::kBank>,
          &pack_panel<Tile, Side::kQueries>,
          &topk_workspace_bytes<Tile>,
          &topk_block<Tile>,
          &assign_workspace_bytes<Tile>,
          &assign_block<Tile>,
          &join_workspace_bytes<Tile>,
          &join_block<Tile>};
}

}  // namespace
}  // namespace mmi
