//! The desk in Discord, against a Discord that keeps state.

mod canary;
mod cards;
mod earlier_places;
mod faults;
mod gateway;
mod onboarding;
mod page_buttons;
mod pages;
mod replies;
mod rights;
mod secrets;
mod setup;
mod story;
