//! Who is told of what, when, and who is next: stories on a clock that moves by hand, with an outside that
//! writes down whom it was told to tell.

mod acknowledging;
mod channels;
mod complaints;
mod floods;
mod nights;
