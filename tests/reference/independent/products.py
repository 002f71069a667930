"""Singular values of long products of matrices, and growth rates.

A product whose singular values span hundreds of orders of magnitude is formed in integers
(fixed point, 2^-BITS) and handed to mpmath's SVD: no scaling, no orthogonalising.
"""

import mpmath
import numpy

BITS = 640


def fixed(matrix):
    """Exact, but for digits below 2^-BITS."""
    ratios = [[float(v).as_integer_ratio() for v in row] for row in matrix]
    return numpy.array([[(n << BITS) // d for n, d in row] for row in ratios], dtype=object)


def products(J, lags):
    """lag -> J[T] J[T-1] ... J[T-lag+1] in fixed point."""
    found, product = {}, None
    for lag in range(1, max(lags) + 1):
        factor = fixed(J[len(J) - lag])
        product = factor if product is None else (product @ factor) >> BITS
        if lag in lags:
            found[lag] = product
    return found


def log10_singular_values(product):
    """Falling; -inf for a value below 10^-170 of the largest: that is a zero, rounded."""
    mpmath.mp.dps = 180
    matrix = mpmath.matrix([[mpmath.ldexp(int(v), -BITS) for v in row] for row in product])
    values = mpmath.svd_r(matrix, compute_uv=False)
    least = max(values) * mpmath.mpf(10) ** -170
    return [float(mpmath.log10(v)) if v > least else float("-inf") for v in values]


def lyapunov(J):
    """The largest exponent: the growth of a basis that QR keeps orthonormal."""
    Q, sums = numpy.eye(J.shape[1]), numpy.zeros(J.shape[1])
    for factor in J:
        Q, R = numpy.linalg.qr(factor @ Q)
        sums += numpy.log(numpy.abs(numpy.diag(R)))
    return (sums / len(J)).max()
