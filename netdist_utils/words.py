"""Numbers in sentences: with a minus sign, in per cent, and in a row.

Every number in the book's text is printed from the computation; these four functions make it look
as a typesetter would set it.
"""

from netdist_utils import checks


def minus(text):
    """Text with a minus sign in place of each hyphen.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> minus("-0.5")
    '−0.5'
    """
    return text.replace("-", "\N{MINUS SIGN}")


def number(value, digits=2):
    """A number with so many decimals; what rounds to zero has no sign.

    Parameters
    ----------
    value : float or NaN
    digits : int from 0 on

    Examples
    --------
    >>> number(-0.125, 3), number(-0.001)
    ('−0.125', '0.00')
    """
    return minus(f"{float(value):z.{digits}f}")


def percent(share, digits=0):
    """A share in per cent, with a space that does not break the line.

    Parameters
    ----------
    share : float or NaN
    digits : int from 0 on

    Examples
    --------
    >>> percent(0.425, 1).replace("\N{NO-BREAK SPACE}", " ")
    '42.5 %'
    """
    return number(100 * share, digits) + "\N{NO-BREAK SPACE}%"


def listed(items, form=str):
    """Items as they stand in a sentence, each in its form, or "none".

    Parameters
    ----------
    items : collections.abc.Iterable
    form : callable

    Examples
    --------
    >>> listed([3, 4, 5]), listed([0.5, 1], number), listed([])
    ('3, 4 and 5', '0.50 and 1.00', 'none')
    """
    *first, last = [form(item) for item in items] or ["none"]
    return f"{', '.join(first)} and {last}" if first else last


checks.guard(__name__)
