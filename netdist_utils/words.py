"""Numbers in sentences: with a minus sign, in per cent, and in a row.

Every number in the book's text is printed from the computation; these four functions make it look
as a typesetter would set it.
"""


def minus(text):
    """Text with a minus sign in place of each hyphen.

    Examples
    --------
    >>> minus("-0.5")
    '−0.5'
    """
    return text.replace("-", "\N{MINUS SIGN}")


def number(value, digits=2):
    """A number with so many decimals; what rounds to zero has no sign.

    Examples
    --------
    >>> number(-0.125, 3), number(-0.001)
    ('−0.125', '0.00')
    """
    return minus(f"{float(value):z.{digits}f}")


def percent(share, digits=0):
    """A share in per cent, with a space that does not break the line.

    Examples
    --------
    >>> percent(0.425, 1).replace("\N{NO-BREAK SPACE}", " ")
    '42.5 %'
    """
    return number(100 * share, digits) + "\N{NO-BREAK SPACE}%"


def listed(items, form=str):
    """Items as they stand in a sentence, each in its form, or "none".

    Examples
    --------
    >>> listed([3, 4, 5]), listed([0.5, 1], number), listed([])
    ('3, 4 and 5', '0.50 and 1.00', 'none')
    """
    *first, last = [form(item) for item in items] or ["none"]
    return f"{', '.join(first)} and {last}" if first else last
