#include "learning/internal/allowed_operators.h"

#include <cstddef>
#include <unordered_set>

namespace hansa::learning {
namespace {

// Names in the namespace aten, separated by blanks. A name also allows its in-place form: "relu" allows "relu_".
constexpr std::string_view tensor_operators[] = {
    // Layers with weights, and recurrent layers
    "linear bilinear convolution _convolution conv1d conv2d conv3d conv_transpose1d conv_transpose2d "
    "conv_transpose3d embedding embedding_bag embedding_renorm rnn_tanh rnn_relu lstm gru rnn_tanh_cell "
    "rnn_relu_cell lstm_cell gru_cell _pack_padded_sequence _pad_packed_sequence ",
    // Attention
    "scaled_dot_product_attention _native_multi_head_attention _transformer_encoder_layer_fwd "
    "_nested_tensor_from_mask _nested_tensor_from_mask_left_aligned to_padded_tensor ",
    // Normalisation and dropout
    "batch_norm instance_norm layer_norm group_norm rms_norm native_batch_norm native_layer_norm "
    "native_group_norm dropout alpha_dropout feature_dropout feature_alpha_dropout native_dropout ",
    // Pools
    "avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool3d max_pool1d_with_indices "
    "max_pool2d_with_indices max_pool3d_with_indices adaptive_avg_pool1d adaptive_avg_pool2d "
    "adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d fractional_max_pool2d "
    "fractional_max_pool3d max_unpool2d max_unpool3d ",
    // Activations
    "relu relu6 elu celu selu gelu glu silu mish hardtanh hardsigmoid hardswish hardshrink softshrink "
    "leaky_relu prelu rrelu threshold sigmoid log_sigmoid softmax log_softmax softplus tanh logit ",
    // Losses
    "cross_entropy_loss nll_loss nll_loss2d nll_loss_nd mse_loss l1_loss smooth_l1_loss huber_loss "
    "binary_cross_entropy binary_cross_entropy_with_logits kl_div poisson_nll_loss ctc_loss "
    "cosine_embedding_loss hinge_embedding_loss margin_ranking_loss multi_margin_loss "
    "multilabel_margin_loss soft_margin_loss triplet_margin_loss cosine_similarity pairwise_distance cdist "
    "pdist ",
    // Images and padding
    "pad constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d "
    "replication_pad2d replication_pad3d pixel_shuffle pixel_unshuffle channel_shuffle im2col col2im "
    "grid_sampler grid_sampler_2d grid_sampler_3d affine_grid_generator upsample_nearest1d "
    "upsample_nearest2d upsample_nearest3d upsample_linear1d upsample_bilinear2d upsample_bicubic2d "
    "upsample_trilinear3d _upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d "
    "_upsample_bilinear2d_aa _upsample_bicubic2d_aa ",
    // Arithmetic
    "abs absolute neg negative positive add sub subtract mul multiply div divide true_divide floor_divide "
    "floordiv remainder fmod pow float_power rsub addcmul addcdiv lerp square sqrt rsqrt exp exp2 expm1 log "
    "log2 log10 log1p logaddexp logaddexp2 sin cos tan asin acos atan atan2 sinh cosh asinh acosh atanh "
    "arcsin arccos arctan arctan2 arcsinh arccosh arctanh erf erfc erfinv ceil floor round trunc fix frac "
    "sign sgn signbit copysign clamp clamp_min clamp_max clip maximum minimum fmax fmin reciprocal "
    "nan_to_num hypot xlogy sinc i0 digamma lgamma polygamma deg2rad rad2deg heaviside gcd lcm fabs isqrt ",
    // Comparison and logic
    "eq ne lt le gt ge equal greater greater_equal less less_equal not_equal isclose allclose isfinite isinf "
    "isnan isposinf isneginf logical_and logical_or logical_xor logical_not bitwise_and bitwise_or "
    "bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift __and__ __or__ __xor__ __lshift__ "
    "__rshift__ where ",
    // Reductions, sorting and counting
    "sum nansum mean nanmean prod std var std_mean var_mean max min amax amin aminmax argmax argmin all any "
    "median nanmedian mode logsumexp norm frobenius_norm nuclear_norm renorm dist cumsum cumprod cummax "
    "cummin logcumsumexp count_nonzero quantile nanquantile topk sort argsort msort kthvalue unique _unique2 "
    "unique_consecutive unique_dim bincount histc bucketize searchsorted diff trapezoid cov corrcoef ",
    // Matrices
    "mm bmm matmul mv dot vdot inner outer ger addmm addmv addbmm baddbmm addr einsum tensordot kron cross "
    "chain_matmul trace tril triu diag diagonal diag_embed diagflat t numpy_T adjoint matrix_exp "
    "matrix_power inverse det logdet slogdet cholesky linalg_norm linalg_vector_norm linalg_matrix_norm "
    "linalg_cross linalg_multi_dot linalg_matrix_exp linalg_matrix_power linalg_cholesky linalg_inv "
    "linalg_pinv linalg_solve linalg_solve_triangular linalg_eigh linalg_eigvalsh linalg_svd linalg_svdvals "
    "linalg_qr linalg_det linalg_slogdet linalg_diagonal linalg_vecdot ",
    // Spectra and complex numbers
    "fft_fft fft_ifft fft_rfft fft_irfft fft_fft2 fft_ifft2 fft_rfft2 fft_irfft2 fft_fftn fft_ifftn "
    "fft_rfftn fft_irfftn fft_fftfreq fft_rfftfreq fft_fftshift fft_ifftshift stft istft hann_window "
    "hamming_window blackman_window bartlett_window kaiser_window view_as_real view_as_complex real imag "
    "complex polar angle conj conj_physical resolve_conj resolve_neg is_complex is_conj ",
    // Shapes, indices and parts of tensors
    "view view_as reshape reshape_as flatten unflatten ravel transpose permute movedim moveaxis swapaxes "
    "swapdims squeeze unsqueeze expand expand_as repeat repeat_interleave tile cat concat concatenate stack "
    "hstack vstack dstack column_stack split split_with_sizes tensor_split hsplit vsplit chunk unsafe_split "
    "unsafe_chunk unbind narrow select slice index index_select index_put index_add index_copy index_fill "
    "index_reduce gather scatter scatter_add scatter_reduce masked_fill masked_select masked_scatter take "
    "take_along_dim put flip fliplr flipud roll rot90 unfold broadcast_tensors broadcast_to meshgrid "
    "cartesian_prod combinations block_diag contiguous clone detach alias size stride dim numel nonzero "
    "nonzero_numpy argwhere select_scatter slice_scatter diagonal_scatter one_hot atleast_1d atleast_2d "
    "atleast_3d tril_indices triu_indices copy fill zero lift lift_fresh lift_fresh_copy _shape_as_tensor "
    "_infer_size infer_size is_same_size ",
    // New tensors. Not `empty`: it returns the memory that was freed last.
    "zeros ones full zeros_like ones_like full_like new_zeros new_ones new_full arange range linspace "
    "logspace eye tensor scalar_tensor as_tensor ",
    // Random numbers, from the generator that the task's seed initialises
    "rand rand_like randn randn_like randint randint_like randperm bernoulli multinomial normal poisson "
    "uniform exponential random log_normal cauchy geometric binomial ",
    // Types, devices and gradients
    "to type_as is_floating_point is_signed result_type promote_types can_cast cpu device item is_nonzero "
    "requires_grad_ is_grad_enabled set_grad_enabled is_inference is_autocast_enabled "
    "is_autocast_cpu_enabled ",
    // Python's numbers, lists, dictionaries and strings
    "Int Float Bool Complex IntImplicit FloatImplicit ComplexImplicit ScalarImplicit __not__ __is__ "
    "__isnot__ __contains__ __getitem__ _set_item __derive_index __range_length len list dict append extend "
    "insert pop remove reverse sorted count clear keys values items get setdefault update popitem Delete "
    "str format ord chr upper lower strip lstrip rstrip startswith endswith find replace join isdigit "
    "isalpha ",
    // Warnings. code_check.h makes their text constant, and that of exceptions.
    "warn "};

// Names in the namespace prim.
constexpr std::string_view language_operators[] = {
    // Control flow, calls, attributes and variables
    "Constant If Loop GetAttr SetAttr CallMethod CallFunction CreateObject Uninitialized Enter Exit "
    "RaiseException ",
    // Lists, tuples, dictionaries, enums and numbers
    "ListConstruct ListUnpack TupleConstruct TupleUnpack TupleIndex TupleSlice DictConstruct DictIndex "
    "StringIndex EnumName EnumValue rangelist tolist max min abs NumToTensor ImplicitTensorToNum ",
    // Types and properties of tensors
    "unchecked_cast unchecked_unwrap_optional isinstance device dtype layout shape data requires_grad is_cpu "
    "is_cuda is_meta is_mkldnn is_mps is_nested is_quantized is_sparse is_sparse_csr is_xla is_xpu itemsize "
    "T mT H mH "};

using Names = std::unordered_set<std::string_view>;

template <std::size_t N>
Names split(const std::string_view (&groups)[N]) {
  Names out;
  for (std::string_view group : groups)
    for (std::size_t end = group.find(' '); end != std::string_view::npos; end = group.find(' ')) {
      if (end > 0) out.insert(group.substr(0, end));
      group.remove_prefix(end + 1);
    }
  return out;
}

struct Advice {
  std::string_view kind;  // a qualified name, or its beginning with a '*'
  OperatorAdvice advice;
};
constexpr Advice known[] = {
    {"aten::from_file", {"reads a file", "keep values in parameters or buffers of the model"}},
    {"aten::save", {"writes a file", "remove it"}},
    {"aten::load*", {"reads a file", "keep values in parameters or buffers of the model"}},
    {"prim::Print", {"prints", "remove it; report values with the model's metrics(x, y)"}},
    {"aten::empty*", {"returns memory that was not initialised", "use torch.zeros"}},
    {"aten::new_empty*", {"returns memory that was not initialised", "use new_zeros"}},
    {"aten::resize*", {"returns memory that was not initialised", "use reshape, or torch.zeros and copy_"}},
    {"aten::set_", {"reads other memory", "use copy_"}},
    {"aten::as_strided*", {"reads other memory", "use view, slices or unfold"}},
    {"aten::manual_seed", {"changes the seed of the task", "remove it: the task's seed is set before"}},
    {"aten::seed", {"changes the seed of the task", "remove it: the task's seed is set before"}},
    {"prim::fork*", {"starts a thread", "call the function directly"}},
    {"aten::wait", {"waits for a thread", "call the function directly"}},
    {"prim::rpc*", {"calls another machine", "remove it"}},
    {"prim::TimePoint", {"reads the clock", "remove it"}},
};

}  // namespace

bool is_allowed_operator(std::string_view kind) {
  static const Names tensor = split(tensor_operators);
  static const Names language = split(language_operators);
  if (kind.starts_with("prim::")) return language.contains(kind.substr(6));
  if (!kind.starts_with("aten::")) return false;
  kind.remove_prefix(6);
  if (tensor.contains(kind)) return true;
  return kind.ends_with('_') && !kind.ends_with("__") && tensor.contains(kind.substr(0, kind.size() - 1));
}

OperatorAdvice advice_on_operator(std::string_view kind) {
  for (const Advice& entry : known) {
    const bool matches = entry.kind.ends_with('*')
                             ? kind.starts_with(entry.kind.substr(0, entry.kind.size() - 1))
                             : kind == entry.kind;
    if (matches) return entry.advice;
  }
  return {"is not on the list of operators that a model may use",
          "write it with PyTorch's layers and tensor operations; docs/models.md names the list"};
}

}  // namespace hansa::learning
