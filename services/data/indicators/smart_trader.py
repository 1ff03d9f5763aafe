"""Smart Trader's own indicators as entries of the catalogue; the formulas are in the modules beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.data.domain.bars import Doubles
from services.data.indicators.bands import custom_macd, smoothed_bollinger, triple_bollinger
from services.data.indicators.filters import (
    gaussian_weights,
    nadaraya_watson,
    one_sided_gaussian,
    rational_quadratic_weights,
)
from services.data.indicators.indicator import (
    ChoiceParameter,
    Indicator,
    Input,
    IntegerParameter,
    Memory,
    Parameter,
    PriceSource,
    RealParameter,
    Settings,
)
from services.data.indicators.levels import rs_bands, sr_channels
from services.data.indicators.supertrend import adaptive_supertrend
from services.data.indicators.talib_catalogue import MOVING_AVERAGES, lookback_of

_GROUP: Final = "Smart Trader"
_PRICE: Final = (Input(PriceSource.CLOSE, selectable=True),)
_HIGH_LOW: Final = tuple(Input(one, selectable=False) for one in (PriceSource.HIGH, PriceSource.LOW))
_HIGH_LOW_CLOSE: Final = (*_HIGH_LOW, Input(PriceSource.CLOSE, selectable=False))
_DEVIATIONS: Final = (0.0, 100.0)


def smart_trader_indicators() -> list[Indicator]:
    """All of them."""
    return [
        _smoothed_bbands(),
        _triple_bbands(),
        _custom_macd(),
        _adaptive_supertrend(),
        _gaussian_filter(),
        _rs_bands(),
        _sr_channels(),
        _nadaraya_watson(),
    ]


def _int(settings: Settings, name: str) -> int:
    return int(settings[name])


def _real(settings: Settings, name: str) -> float:
    return float(settings[name])


def _period(default: int, minimum: int = 2, *, name: str = "timeperiod", what: str = "Bars") -> Parameter:
    return IntegerParameter(name, what, default, minimum, 10_000)


def _smoothed_bbands() -> Indicator:
    def formula(inputs: Sequence[Doubles], settings: Settings) -> Sequence[Doubles]:
        return smoothed_bollinger(
            inputs[0],
            _int(settings, "timeperiod"),
            _real(settings, "nbdevup"),
            _real(settings, "nbdevdn"),
            _int(settings, "smoothperiod"),
        )

    return Indicator(
        name="SMOOTHED_BBANDS",
        group=_GROUP,
        description="Bollinger Bands whose lines are averaged",
        inputs=_PRICE,
        parameters=(
            _period(20),
            RealParameter("nbdevup", "Standard deviations up", 2.0, *_DEVIATIONS),
            RealParameter("nbdevdn", "Standard deviations down", 2.0, *_DEVIATIONS),
            _period(5, 1, name="smoothperiod", what="Bars of the lines' average"),
        ),
        outputs=("upperband", "middleband", "lowerband"),
        source="Bollinger (2001), averaged as in Smart Trader",
        memory=Memory.WINDOW,
        lookback=lambda settings: _int(settings, "timeperiod") + _int(settings, "smoothperiod") - 2,
        formula=formula,
    )


def _triple_bbands() -> Indicator:
    widths = ("nbdev1", "nbdev2", "nbdev3")

    def formula(inputs: Sequence[Doubles], settings: Settings) -> Sequence[Doubles]:
        first, second, third = (_real(settings, name) for name in widths)
        middle, upper, lower = triple_bollinger(
            inputs[0], _int(settings, "timeperiod"), (first, second, third)
        )
        return [*upper, middle, *lower]

    return Indicator(
        name="TRIPLE_BBANDS",
        group=_GROUP,
        description="Bollinger Bands of three widths about one middle",
        inputs=_PRICE,
        parameters=(
            _period(20),
            *(
                RealParameter(name, "Standard deviations from the middle", float(number), *_DEVIATIONS)
                for number, name in enumerate(widths, 1)
            ),
        ),
        outputs=(
            *("upperband1", "upperband2", "upperband3"),
            "middleband",
            *("lowerband1", "lowerband2", "lowerband3"),
        ),
        source="Bollinger (2001)",
        memory=Memory.WINDOW,
        lookback=lambda settings: _int(settings, "timeperiod") - 1,
        formula=formula,
    )


def _custom_macd() -> Indicator:
    averages = ("fast", "slow", "signal")

    def pair(settings: Settings, name: str) -> tuple[int, int]:
        return _int(settings, f"{name}period"), MOVING_AVERAGES.index(str(settings[f"{name}matype"]))

    def formula(inputs: Sequence[Doubles], settings: Settings) -> Sequence[Doubles]:
        fast, slow, signal = (pair(settings, name) for name in averages)
        return custom_macd(inputs[0], fast, slow, signal)

    def average(name: str, period: int, minimum: int) -> tuple[Parameter, Parameter]:
        return (
            _period(period, minimum, name=f"{name}period", what=f"Bars of the {name} average"),
            ChoiceParameter(f"{name}matype", f"Kind of the {name} average", "EMA", MOVING_AVERAGES),
        )

    return Indicator(
        name="CUSTOM_MACD",
        group=_GROUP,
        description=(
            "MACD of any averages, with the histogram's state (2 above zero and rising, 1 above and falling, "
            "-1 below and rising, -2 below and falling) and crossings of the signal (1 up, -1 down)"
        ),
        inputs=_PRICE,
        parameters=(*average("fast", 12, 2), *average("slow", 26, 2), *average("signal", 9, 1)),
        outputs=("macd", "macdsignal", "macdhist", "state", "crossing"),
        source="Appel (2005); Moody, CM_MacD_Ult_MTF (2014)",
        memory=Memory.FADING,
        lookback=lambda settings: lookback_of("MACDEXT", settings),
        formula=formula,
    )


def _adaptive_supertrend() -> Indicator:
    guesses = ("lowguess", "mediumguess", "highguess")

    def formula(inputs: Sequence[Doubles], settings: Settings) -> Sequence[Doubles]:
        low, medium, high = sorted(_real(settings, name) for name in guesses)
        return adaptive_supertrend(
            *inputs,
            atr_period=_int(settings, "atrperiod"),
            training_period=_int(settings, "trainingperiod"),
            guesses=(low, medium, high),
            factor=_real(settings, "factor"),
        )

    return Indicator(
        name="ADAPTIVE_SUPERTREND",
        group=_GROUP,
        description=(
            "SuperTrend over the centre of the volatility cluster (k-means of the last ATRs) that it is in; "
            "direction is 1 up, -1 down; cluster 1 low, 2 medium, 3 high"
        ),
        inputs=_HIGH_LOW_CLOSE,
        parameters=(
            _period(10, 1, name="atrperiod", what="Bars of the average true range"),
            RealParameter("factor", "Ranges from the middle of the bar to the line", 3.0, 0.0, 100.0),
            IntegerParameter("trainingperiod", "Ranges that are clustered", 100, 3, 1_000),
            RealParameter("lowguess", "First centre of low volatility, as a share", 0.25, 0.0, 1.0),
            RealParameter("mediumguess", "First centre of medium volatility, as a share", 0.5, 0.0, 1.0),
            RealParameter("highguess", "First centre of high volatility, as a share", 0.75, 0.0, 1.0),
        ),
        outputs=("supertrend", "direction", "cluster", "volatility"),
        source="AlgoAlpha, Machine Learning Adaptive SuperTrend (2024); Seban (2008); Lloyd (1982)",
        memory=Memory.FADING,
        lookback=lambda settings: _int(settings, "atrperiod") + _int(settings, "trainingperiod") - 1,
        formula=formula,
    )


def _gaussian_filter() -> Indicator:
    def formula(inputs: Sequence[Doubles], settings: Settings) -> Sequence[Doubles]:
        return one_sided_gaussian(
            inputs[0], _int(settings, "timeperiod"), _real(settings, "sigma"), _real(settings, "nbdev")
        )

    return Indicator(
        name="GAUSSIAN_FILTER",
        group=_GROUP,
        description="One-sided Gaussian filter with bands of its weighted standard deviation",
        inputs=_PRICE,
        parameters=(
            IntegerParameter("timeperiod", "Bars", 25, 2, 1_000),
            RealParameter("sigma", "Width of the kernel in bars", 8.0, 0.1, 1_000.0),
            RealParameter("nbdev", "Weighted standard deviations to the bands", 2.0, *_DEVIATIONS),
        ),
        outputs=("gaussian", "upperband", "lowerband"),
        source="loxx, One-Sided Gaussian Filter w/ Channels (2022)",
        memory=Memory.WINDOW,
        lookback=lambda settings: _int(settings, "timeperiod") - 1,
        formula=formula,
    )


def _rs_bands() -> Indicator:
    def formula(inputs: Sequence[Doubles], settings: Settings) -> Sequence[Doubles]:
        high, low = inputs
        return rs_bands(
            high, low, _int(settings, "leftbars"), _int(settings, "rightbars"), _int(settings, "pivots")
        )

    return Indicator(
        name="RS_BANDS",
        group=_GROUP,
        description="Bands of resistance and support: highest and lowest of the last turning points",
        inputs=_HIGH_LOW,
        parameters=(
            IntegerParameter("leftbars", "Bars before a turning point that it exceeds", 10, 1, 500),
            IntegerParameter("rightbars", "Bars after it: it is known that much later", 10, 1, 500),
            IntegerParameter("pivots", "Turning points in a band", 2, 1, 50),
        ),
        outputs=("resistancemax", "resistancemin", "supportmax", "supportmin"),
        source="Smart Trader's two bands of a watched symbol",
        memory=Memory.FADING,
        lookback=lambda settings: _int(settings, "leftbars") + _int(settings, "rightbars"),
        formula=formula,
    )


def _sr_channels() -> Indicator:
    def formula(inputs: Sequence[Doubles], settings: Settings) -> Sequence[Doubles]:
        return sr_channels(
            *inputs,
            period=_int(settings, "pivotperiod"),
            loopback=_int(settings, "loopback"),
            width=_real(settings, "width"),
            most=_int(settings, "channels"),
        )

    return Indicator(
        name="SR_CHANNELS",
        group=_GROUP,
        description=(
            "Channels of support and resistance: the nearest above the close, the nearest below it, and "
            "the one that it is in"
        ),
        inputs=_HIGH_LOW_CLOSE,
        parameters=(
            IntegerParameter("pivotperiod", "Bars to either side of a turning point", 10, 1, 100),
            IntegerParameter("loopback", "Bars whose turning points count", 290, 20, 1_000),
            RealParameter("width", "Widest channel, in per cent of the range of those bars", 5.0, 0.1, 100.0),
            IntegerParameter("channels", "Channels at most", 6, 1, 10),
        ),
        outputs=(
            *("resistancetop", "resistancebottom"),
            *("supporttop", "supportbottom"),
            *("channeltop", "channelbottom"),
        ),
        source="LonesomeTheBlue, Support Resistance Channels (2020)",
        memory=Memory.FADING,
        lookback=lambda settings: max(_int(settings, "loopback") - 1, 2 * _int(settings, "pivotperiod")),
        formula=formula,
    )


def _nadaraya_watson() -> Indicator:
    def weights(settings: Settings) -> Doubles:
        window, bandwidth = _int(settings, "timeperiod"), _real(settings, "bandwidth")
        if settings["kernel"] == "GAUSSIAN":
            return gaussian_weights(window, bandwidth)
        return rational_quadratic_weights(window, bandwidth, _real(settings, "relativeweight"))

    def formula(inputs: Sequence[Doubles], settings: Settings) -> Sequence[Doubles]:
        return nadaraya_watson(
            inputs[0], weights(settings), _real(settings, "multiplier"), repaint=settings["repaint"] == "YES"
        )

    return Indicator(
        name="NADARAYA_WATSON",
        group=_GROUP,
        description=(
            "Nadaraya-Watson kernel regression with an envelope of its mean error; causal unless repaint is "
            "YES: then it looks as far ahead as back, and its last values change with every new bar"
        ),
        inputs=_PRICE,
        parameters=(
            IntegerParameter("timeperiod", "Bars the kernel reaches", 50, 2, 1_000),
            RealParameter("bandwidth", "Width of the kernel in bars", 8.0, 0.1, 1_000.0),
            RealParameter(
                "relativeweight", "Of the rational quadratic kernel: less is longer", 8.0, 0.01, 1_000.0
            ),
            RealParameter("multiplier", "Mean errors to the envelope", 3.0, *_DEVIATIONS),
            ChoiceParameter("kernel", "The kernel", "RATIONAL_QUADRATIC", ("RATIONAL_QUADRATIC", "GAUSSIAN")),
            ChoiceParameter("repaint", "Whether to look ahead", "NO", ("NO", "YES")),
        ),
        outputs=("estimate", "upperband", "lowerband"),
        source="Nadaraya (1964), Watson (1964); jdehorty (2022), LuxAlgo (2021)",
        memory=Memory.WINDOW,
        lookback=lambda settings: 2 * (_int(settings, "timeperiod") - 1),
        formula=formula,
        can_repaint=True,
        lookahead=lambda settings: _int(settings, "timeperiod") - 1 if settings["repaint"] == "YES" else 0,
    )
