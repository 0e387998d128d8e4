"""Tell what moves in front of a background that is learned: a mixture of Gaussians per pixel."""

from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.threads import PerThread, thread_count
from gmmseg.errors import NotFittedError
from gmmseg.video import lighting, scene, settings
from gmmseg.video.cleanup import Cleaner
from gmmseg.video.coarse_kernels import block_counts, block_means
from gmmseg.video.exposure import follow_light
from gmmseg.video.frames import as_levels, check_like, level_values, moved_mask, warn_if_dim
from gmmseg.video.ghosts import lay_ghosts
from gmmseg.video.moving_kernels import move_frame
from gmmseg.video.noise import follow_noise
from gmmseg.video.pixel_model import BACKGROUND, BLOCK, MOVING, row_memory
from gmmseg.video.pixel_state import PixelState, begin, mean_picture, restart
from gmmseg.video.relighting import relight, seen_through
from gmmseg.video.scene import Event
from gmmseg.video.shake import shift_of_frame
from gmmseg.video.state_file import FilePath, read_state, write_state
from gmmseg.video.video_kernels import update_in_turns
from gmmseg.video.workers import Workers

Mask = NDArray[np.uint8]


class BackgroundSubtractor:
    """Learn the background of a video frame by frame, and mark what moves in front of it.

    Every pixel has an adaptive mixture of Gaussians (Zivkovic, 2004) whose threshold and rate
    follow how much the pixel blinks (St-Charles and others, 2015), and its spread the noise of the
    camera, which is measured. Around it: a tone curve per channel against light that changes
    everywhere, a relit model where a lamp is switched on, a shift against a camera that shakes,
    shadows told apart, and a clean-up of the mask.

    Parameters
    ----------
    fps : float
        Frames per second, which `patience` is reckoned with.
    patience : float
        How long something that stands still is called moving, in seconds; infinity is for ever.
    learning_rate : float or None
        Weight of a frame, 0…1, once many are learned; None is 1 / 500.
    threshold : float
        Squared distance, in variances and per channel, up to which a pixel is background. Lower
        finds fainter things, and more that are none.
    min_area : int or None
        Pixels of the smallest thing that counts; None is a tenth of the side of a square as large
        as the picture: 27 of 320 x 240, 48 of 640 x 360, 144 of 1920 x 1080.
    n_modes : int
        Gaussians that a pixel has at most; it uses as many as it needs.
    shadows : bool
        Whether shadows are told apart, as 127; else they move as what throws them.
    lighting : bool
        Whether light that changes is made up for.
    shake : float
        Largest shift of the camera that is made up for, in pixels; 0 is none, infinity any.
    bits : int or None
        How many bits of a frame of uint16 are in use, 8…16, such as 12; None is all, with a
        warning if the first frame is in the lower part of them. Other frames have no such choice.
    mask : array_like of bool, shape (rows, cols), optional
        Where to look; elsewhere nothing moves.
    n_jobs : int or None
        Number of threads; None is all.

    Attributes
    ----------
    event_ : Event
        What happened to the whole picture in the last frame: nothing (false), the light changed,
        the scene changed, or the camera moved.
    n_frames_ : int
        How many frames were seen.
    shift_ : tuple of int
        How many pixels down and right the last frame lay of the first.

    Raises
    ------
    InputError
        If an argument is out of its range.

    Notes
    -----
    The first frame is all background; what walks out of it leaves a ghost for some ten frames. A
    new scene (most of the picture changed at once, and not by light) is said in `event_` and not
    masked. It is learned when it has stayed for five frames, or as many as were learned before;
    fewer bad frames, such as black ones, leave all as it was. `moving_regions` makes boxes of it.

    References
    ----------
    Z. Zivkovic (2004), "Improved adaptive Gaussian mixture model for background subtraction",
    ICPR, equations 8 to 12, https://doi.org/10.1109/ICPR.2004.1333992.
    P.-L. St-Charles, G.-A. Bilodeau, R. Bergevin (2015), "SuBSENSE: a universal change detection
    method with local adaptive sensitivity", https://doi.org/10.1109/TIP.2014.2378053.

    Examples
    --------
    >>> wall = np.full((60, 80, 3), 120, np.uint8)
    >>> subtractor = BackgroundSubtractor()
    >>> for _ in range(10):
    ...     mask = subtractor.apply(wall)
    >>> int(mask.max())
    0
    >>> visitor = wall.copy()
    >>> visitor[20:40, 30:50] = (200, 40, 40)
    >>> int((subtractor.apply(visitor) == 255).sum())
    388
    """

    def __init__(
        self,
        *,
        fps: float = 25.0,
        patience: float = 60.0,
        learning_rate: float | None = None,
        threshold: float = 6.0,
        min_area: int | None = None,
        n_modes: int = 4,
        shadows: bool = True,
        lighting: bool = True,
        shake: float = 8.0,
        bits: int | None = None,
        mask: ArrayLike | None = None,
        n_jobs: int | None = None,
    ) -> None:
        thread_count(n_jobs)
        self._options = settings.checked_options(
            fps=fps,
            patience=patience,
            learning_rate=settings.USUAL_RATE if learning_rate is None else learning_rate,
            threshold=threshold,
            min_area=min_area,
            n_modes=n_modes,
            shadows=bool(shadows),
            lighting=bool(lighting),
            shake=shake,
            bits=bits,
        )
        self._learning = settings.Learning.of_options(self._options)
        self._mask = None if mask is None else settings.checked_mask(mask)
        self._n_jobs = n_jobs
        self._state: PixelState | None = None
        self.event_ = Event.NOTHING
        self.shift_ = (0, 0)

    @property
    def fps(self) -> float:
        """Frames per second, which `patience` is reckoned with."""
        return float(self._options["fps"])

    @property
    def bits(self) -> int | None:
        """How many bits of a frame of uint16 are in use; None is all."""
        return cast("int | None", self._options["bits"])

    @property
    def n_frames_(self) -> int:
        """How many frames were seen."""
        return 0 if self._state is None else self._state.n_seen

    def apply(self, frame: ArrayLike) -> Mask:
        """Learn from a frame, and return what moves in it.

        Parameters
        ----------
        frame : array_like of shape (rows, cols) or (rows, cols, n_channels)
            Of uint8, uint16, bool, or floating in 0…1. All have the same shape and type.

        Returns
        -------
        mask : ndarray of uint8, shape (rows, cols)
            0 background, 127 shadow, 255 moving.

        Raises
        ------
        InputError
            If the frame is no picture, or of another shape or type than those before.
        """
        levels = as_levels(frame, bits=self._options["bits"])
        self.event_, self.shift_ = Event.NOTHING, (0, 0)
        if self._state is None:
            warn_if_dim(frame, self._options["bits"])
            return self._begin(levels)
        state = self._state
        check_like(levels, state.shape, state.dtype, number=state.n_seen + 1)
        state.n_seen += 1
        self._look(levels)
        levels = self._hold_still(levels)
        if self._options["lighting"]:
            self._follow_light()
        follow_noise(state, levels, self._table)
        self._update(levels)
        fresh, busy = self._clean()
        if self._judge(levels, fresh=fresh, busy=busy):
            return self._doubt(levels, busy=busy)
        state.n_strange = 0
        lay_ghosts(state, levels, self._table, workers=self._workers)
        state.n_frames += 1
        return moved_mask(state.model.kept, self.shift_)

    def background(self) -> NDArray[Any]:
        """Return the background as a picture.

        Returns
        -------
        picture : ndarray of uint8, shape (rows, cols[, n_channels])
            The mean of the heaviest mode of every pixel.

        Raises
        ------
        NotFittedError
            If no frame was seen.
        """
        return mean_picture(self._known())

    def save(self, path: FilePath) -> None:
        """Write all that was learned to a file, from which `load` goes on to the last bit.

        Parameters
        ----------
        path : str or path
            Where to write, by custom ending in ".gmm".

        Raises
        ------
        NotFittedError
            If no frame was seen.
        InputError
            If the file cannot be written.
        """
        write_state(path, self._known(), self._options, self._mask)

    @classmethod
    def load(
        cls,
        path: FilePath,
        *,
        fps: float | None = None,
        patience: float | None = None,
        threshold: float | None = None,
        min_area: int | None = None,
        mask: ArrayLike | None = None,
        n_jobs: int | None = None,
    ) -> "BackgroundSubtractor":
        """Return the subtractor that a file holds.

        Parameters
        ----------
        path : str or path
            File that `save` wrote.
        fps, patience, threshold, min_area, mask : optional
            What is to change from here on; None is as it was saved.
        n_jobs : int or None
            Number of threads; None is all.

        Returns
        -------
        subtractor : BackgroundSubtractor
            Goes on as the saved one would have.

        Raises
        ------
        ModelFileError
            If it is no such file, or damaged.
        InputError
            If an argument is out of its range.
        """
        state, options, saved_mask = read_state(path)
        changes = {"fps": fps, "patience": patience, "threshold": threshold, "min_area": min_area}
        options |= {name: value for name, value in changes.items() if value is not None}
        subtractor = cls(**options, mask=saved_mask if mask is None else mask, n_jobs=n_jobs)
        subtractor._take(state)
        return subtractor

    def _known(self) -> PixelState:
        if self._state is None:
            raise NotFittedError("nothing is learned yet; call apply(frame) first")
        return self._state

    def _begin(self, levels: NDArray[Any]) -> Mask:
        """Learn the first frame."""
        values, n_modes = level_values(levels.dtype), self._options["n_modes"]
        state = begin(levels, values, n_modes=n_modes, variance=settings.VARIANCE_INIT)
        state.n_seen = 1
        self._take(state)
        return np.zeros(levels.shape[:2], np.uint8)

    def _take(self, state: PixelState) -> None:
        """Go on from a state, with working memory for frames of its size."""
        rows, cols, n_channels = state.shape
        self._counts = np.empty(state.moving.shape, np.uint8)
        self._use = np.ones(self._counts.shape, bool)
        if self._mask is not None:
            settings.check_mask_fits(self._mask, (rows, cols))
            block_counts(self._mask.astype(np.uint8) * np.uint8(MOVING), self._counts)
            self._use = self._counts == BLOCK * BLOCK
        self._state = state
        self._values = level_values(state.dtype)
        self._table = lighting.inverse_table(state.shifts, self._values)
        self._other = np.zeros_like(state.model.kept)
        self._memory = PerThread(lambda: row_memory(n_channels, cols))
        self._cleaner = Cleaner((rows, cols), min_area=self._options["min_area"])
        self._still = np.empty((rows, cols, n_channels), state.dtype)
        self._workers = Workers(rows, n_jobs=self._n_jobs, unit=BLOCK)

    def _look(self, levels: NDArray[Any]) -> None:
        """Look at a frame from afar."""
        flat = levels.reshape(len(levels), -1)
        scale, coarse = self._values[1], self._known().coarse
        block_means(flat, scale, self._table, coarse.picture, coarse.grey_picture)

    def _hold_still(self, levels: NDArray[Any]) -> NDArray[Any]:
        """Return the frame moved to where the camera stood at first."""
        state, limit = self._known(), self._options["shake"]
        if limit == 0.0:
            return levels
        shift = shift_of_frame(state, levels, self._table, use=self._use, limit=limit)
        if shift == (0, 0):
            return levels
        self.shift_, self.event_ = shift, Event.SHAKE
        self._workers.run(lambda lines: move_frame(levels, shift, self._still, lines))
        self._look(self._still)
        return self._still

    def _follow_light(self) -> None:
        """Look at the frame in the light of the background."""
        state = self._known()
        event = follow_light(state, self._use)
        if event is not None:
            self.event_ = event or self.event_
            self._table = lighting.inverse_table(state.shifts, self._values)

    def _update(self, levels: NDArray[Any]) -> None:
        state = self._known()
        drifts = self.event_ is not Event.SHAKE
        pace = self._learning.pace(state.n_frames, drifts=drifts, noise=state.noise)
        if state.n_strange > 0:
            pace = settings.at_rest(pace)
        turns = np.zeros(1, np.int64)
        self._workers.run_on_all(
            lambda: update_in_turns(
                levels, self._table, state.model, pace, self._memory.own, state.coarse, turns
            )
        )
        if self._mask is not None:
            state.model.raw[~self._mask] = BACKGROUND

    def _clean(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Clean the mask; return the blocks that began to move, and those that moved before."""
        state = self._known()
        self._swap_masks()
        self._cleaner.clean(state.model.raw, state.model.kept)
        block_counts(state.model.kept, self._counts)
        busy = state.moving.copy()
        state.moving[:] = self._counts > BLOCK * BLOCK // 2
        return state.moving & ~busy, busy

    def _swap_masks(self) -> None:
        """Keep the other mask: that before the last one instead of the last, or to fill it anew."""
        state = self._known()
        kept = state.model.kept
        state.model, self._other = state.model._replace(kept=self._other), kept

    def _judge(
        self, levels: NDArray[Any], *, fresh: NDArray[np.bool_], busy: NDArray[np.bool_]
    ) -> bool:
        """Return whether a frame shows another scene; new light is learned at once."""
        n_blocks = max(int(np.count_nonzero(self._use)), 1)
        state, share = self._known(), np.count_nonzero(fresh) / n_blocks
        if state.n_strange > 0 and share >= scene.STILL_NEW:
            return True
        if share < scene.SUDDEN:
            return False
        event = relight(
            state,
            levels,
            self._table,
            picture=seen_through(self._table, state.coarse.picture / self._values[1]),
            fresh=fresh,
            busy=busy,
            n_blocks=n_blocks,
            workers=self._workers,
        )
        self.event_ = event or self.event_
        return event is Event.SCENE

    def _doubt(self, levels: NDArray[Any], *, busy: NDArray[np.bool_]) -> Mask:
        """Go on as if this frame of another scene had not been, or learn it if enough were."""
        state = self._known()
        state.n_strange += 1
        if state.n_strange >= min(scene.SETTLED, state.n_frames):
            restart(state, levels, self._values, variance=settings.VARIANCE_INIT)
            self._table = lighting.inverse_table(state.shifts, self._values)
        else:
            self._swap_masks()
            state.model.raw[:] = state.model.kept
            state.moving[:] = busy
        return np.zeros_like(state.model.kept)
