"""Other laws for the same tail, and the likelihood ratio that compares them."""

from dataclasses import dataclass

import numpy as np
from scipy import integrate, optimize, special, stats

from netdist_utils.spectra.power_law import positive

STEEP = 100


@dataclass(frozen=True)
class LikelihoodRatio:
    """Log-likelihood of the power law minus the rival's, and the p-value of its sign.

    Attributes
    ----------
    ratio : float
        Positive where the power law is the more likely.
    p : float
        Vuong's test; for the truncated power law, which contains the power law, Wilks's.
    """

    ratio: float
    p: float


def likelihood_ratio(values, fit, rival):
    """Compare the fitted power law with another law on the same tail.

    Parameters
    ----------
    values : possibly empty (n,) array from 0 on
    fit : spectra.PowerLawFit
        Of these values.
    rival : {"exponential", "lognormal", "truncated_power_law"}

    Returns
    -------
    LikelihoodRatio

    Raises
    ------
    ValueError
        If the rival is unknown, or the fit has no alpha (its ``reason`` says why).

    Examples
    --------
    >>> from netdist_utils.spectra import fit_power_law
    >>> sample = 1 + np.random.default_rng(0).pareto(1.5, 500)
    >>> likelihood_ratio(sample, fit_power_law(sample), "exponential").ratio > 0
    True
    """
    if np.isnan(fit.alpha):
        raise ValueError(f"there is no fit to compare: {fit.reason}")
    x = positive(values)
    tail = x[x >= fit.xmin] / fit.xmin  # the ratio does not depend on the unit
    power_law = np.log(fit.alpha - 1) - fit.alpha * np.log(tail)
    difference = power_law - RIVALS[rival](tail, fit.alpha)
    ratio = float(difference.sum())
    if rival == "truncated_power_law":
        return LikelihoodRatio(ratio, float(stats.chi2.sf(2 * max(-ratio, 0), 1)))
    spread = difference.std()
    # Two laws that agree everywhere can't be told apart.
    p = special.erfc(abs(ratio) / (2 * len(tail)) ** 0.5 / spread) if spread > 1e-12 else 1.0
    return LikelihoodRatio(ratio, float(p))


def _exponential(tail, _):
    """Log-densities of the best exponential law above 1."""
    mean = (tail - 1).mean()
    return -np.log(mean) - (tail - 1) / mean


def _lognormal(tail, alpha):
    """Log-densities of the best lognormal law, cut off below 1.

    In y = log x it is exp(-a y - b y^2): the power law is its limit b = 0, so the search in
    (a, log b) has no far-away maximum, as one in the mean and deviation of y has.
    """
    logs = np.log(tail)

    def densities(parameters):
        a, b = parameters[0], np.exp(parameters[1])
        z = a / (2 * b**0.5)
        log_erfcx = np.log(special.erfcx(z)) if z > 0 else z**2 + np.log(special.erfc(z))
        log_mass = np.log(np.pi / b) / 2 - np.log(2) + log_erfcx
        return -a * logs - b * logs**2 - log_mass - logs

    return densities(_maximum(densities, [alpha - 1, -np.log(logs.var() + 1e-9) - 3]))


def _truncated_power_law(tail, alpha):
    """Log-densities of the best x**-a exp(-rate x) above 1."""
    logs = np.log(tail)

    def densities(parameters):
        a, rate = parameters[0], np.exp(parameters[1])
        # In t = log x the integrand is smooth; it is scaled to 1 at its lower end. A steep one
        # ends long before 60, and the quadrature would look for it in vain.
        end = 60 if a + rate < STEEP else 60 / (a + rate - 1)
        mass = integrate.quad(lambda t: np.exp((1 - a) * t - rate * np.expm1(t)), 0, end)[0]
        return -a * logs - rate * (tail - 1) - np.log(mass)

    starts = [[alpha, np.log(1e-3 / tail.mean())], [alpha / 2, -np.log(tail.mean())]]
    found = [densities(_maximum(densities, start)) for start in starts]
    return max(found, key=np.sum)


def _maximum(densities, start):
    """Parameters of the largest likelihood near a start."""

    def loss(parameters):
        with np.errstate(all="ignore"):
            total = -densities(parameters).sum()
        return total if np.isfinite(total) else np.inf

    return optimize.minimize(loss, start, method="Nelder-Mead", options={"maxiter": 400}).x


RIVALS = {
    "exponential": _exponential,
    "lognormal": _lognormal,
    "truncated_power_law": _truncated_power_law,
}
