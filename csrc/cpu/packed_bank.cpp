#include "cpu/packed_bank.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "cpu/blocks.h"
#include "cpu/scores.h"

namespace mmi {

int scaling_exponent(const double* squared_norms, std::int64_t rows) {
  double most = 0.0;
  for (std::int64_t i = 0; i < rows; ++i) most = std::max(most, squared_norms[i]);
  return most == 0.0 ? 0 : -(std::ilogb(std::sqrt(most)) + 1);
}

Scaling bank_scaling(bool normalize, const std::vector<double>& squared_norms) {
  const auto rows = static_cast<std::int64_t>(squared_norms.size());
  return {normalize, normalize ? 0 : scaling_exponent(squared_norms.data(), rows)};
}

PackedBank::PackedBank(const MatrixView& rows, std::vector<double> squared_norms,
                       const Scaling& scaling, bool biased, const Execution& execution)
    : rows_(rows),
      squared_norms_(std::move(squared_norms)),
      norms_(norms_of({rows, squared_norms_.data()})),
      scaling_(scaling),
      bounds_{scaling.unit ? 1.0 + 0x1p-40 : 0.0, 0.0, 0.0} {
  if (rows.rows > kMostBankRows) {
    throw std::invalid_argument("at most 2^25 - 1 rows can be packed together");
  }
  panels_ =
      packed_panels({rows_, squared_norms_.data()}, scaling_, bank_side(rows.cols), execution);
  for (const double residual : panels_.residuals) {
    // Written so that a NaN, from rows beyond the range of float32, becomes a bound that is
    // useless.
    if (!(residual <= bounds_.residual)) {
      bounds_.residual = residual < 1e30 ? residual : std::numeric_limits<double>::infinity();
    }
  }
  if (!scaling_.unit) {
    const double most = norms_.empty() ? 0.0 : *std::max_element(norms_.begin(), norms_.end());
    bounds_.norm = std::ldexp(most, scaling_.exponent) * (1.0 + 0x1p-40);
  }
  if (biased) set_bias();
}

void PackedBank::set_bias() {
  const std::int64_t width = isa().bias_width;
  bias_.resize(static_cast<std::size_t>(rounded_up(rows_.rows, isa().bank_panel_rows) * width));
  for (std::int64_t row = 0; row < rows_.rows; ++row) {
    const double bias = -0.5 * std::ldexp(squared_norms_[row], 2 * scaling_.exponent);
    std::fill_n(bias_.begin() + row * width, width, static_cast<float>(bias));
    bounds_.bias = std::max(bounds_.bias, -bias);
  }
}

PackedView PackedBank::view(std::int64_t begin, std::int64_t end) const {
  const IsaKernels& kernels = isa();
  return {
      panels_.memory.get() + begin / kernels.bank_panel_rows * kernels.bank_panel_bytes(rows_.cols),
      end - begin, bounds_, bias_.empty() ? nullptr : bias_.data() + begin * kernels.bias_width};
}

}  // namespace mmi
