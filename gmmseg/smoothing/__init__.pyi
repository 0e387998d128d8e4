from .chain import Chain, minimum_duration
from .chain_decoding import Expectation, expected_transitions, forward_backward, viterbi
from .chain_filter import FixedLagFilter, fixed_lag
from .chain_learning import learn_chain
from .coupling import estimate_coupling
from .energy import potts_energy
from .expansion import expand_labels
from .field_em import FieldFit, fit_field
from .field_mean import free_energy, mean_field
from .grid import GridField, contrast_field
from .mincut import CutGraph, min_cut
from .prior_maps import log_prior_maps

__all__ = [
    "Chain",
    "CutGraph",
    "Expectation",
    "FieldFit",
    "FixedLagFilter",
    "GridField",
    "contrast_field",
    "estimate_coupling",
    "expand_labels",
    "expected_transitions",
    "fit_field",
    "fixed_lag",
    "forward_backward",
    "free_energy",
    "learn_chain",
    "log_prior_maps",
    "mean_field",
    "min_cut",
    "minimum_duration",
    "potts_energy",
    "viterbi",
]
