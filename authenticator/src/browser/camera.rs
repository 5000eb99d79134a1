//! QR codes, from the camera or from a picture. Nothing is filmed before a person asks for it, and nothing leaves the page.

use gloo_timers::callback::Interval;
use js_sys::Reflect;
use leptos::prelude::*;
use quircs::Quirc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    CanvasRenderingContext2d, File, HtmlCanvasElement, HtmlVideoElement, ImageBitmap, MediaStream,
    MediaStreamConstraints, MediaStreamTrack,
};

/// Milliseconds between two looks at what the camera sees.
const LOOK_EVERY: u32 = 250;
/// Pixels of the longer side of what is searched first: enough for most setup keys, and quick on an old phone.
const SIDE: f64 = 800.0;

/// The running camera; it stops when this is dropped.
pub(crate) struct Camera {
    stream: MediaStream,
    _looking: Interval,
}

impl Drop for Camera {
    fn drop(&mut self) {
        for track in self.stream.get_tracks() {
            if let Ok(track) = track.dyn_into::<MediaStreamTrack>() {
                track.stop();
            }
        }
    }
}

/// Shows what the camera sees in `video`, and calls `found` with the text of each code in it.
pub(crate) async fn film(video: HtmlVideoElement, found: impl Fn(String) + 'static) -> Result<Camera, JsValue> {
    let constraints = MediaStreamConstraints::new();
    let back = js_sys::Object::new();
    Reflect::set(&back, &"facingMode".into(), &"environment".into())?;
    constraints.set_video(&back);
    let asked = window().navigator().media_devices()?.get_user_media_with_constraints(&constraints)?;
    let stream: MediaStream = JsFuture::from(asked).await?.dyn_into()?;
    video.set_src_object(Some(&stream));
    JsFuture::from(video.play()?).await?;
    let look = move || {
        let size = (f64::from(video.video_width()), f64::from(video.video_height()));
        let drawn = draw(size, fit(size), |context, (width, height)| {
            context.draw_image_with_html_video_element_and_dw_and_dh(&video, 0.0, 0.0, width, height)
        });
        if let Ok(Some(text)) = drawn.map(|picture| picture.decode()) {
            found(text);
        }
    };
    Ok(Camera { stream, _looking: Interval::new(LOOK_EVERY, look) })
}

/// The text of the code in a picture; none if there is no code.
pub(crate) async fn read_picture(file: &File) -> Result<Option<String>, JsValue> {
    let bitmap: ImageBitmap = JsFuture::from(window().create_image_bitmap_with_blob(file)?).await?.dyn_into()?;
    let size = (f64::from(bitmap.width()), f64::from(bitmap.height()));
    let at = |scale: f64| {
        let drawn = draw(size, scale, |context, (width, height)| {
            context.draw_image_with_image_bitmap_and_dw_and_dh(&bitmap, 0.0, 0.0, width, height)
        });
        Ok::<_, JsValue>(drawn?.decode())
    };
    // A code that has few pixels for each of its squares is found when it is drawn larger.
    match at(fit(size))? {
        Some(text) => Ok(Some(text)),
        None => at(2.0 * fit(size)),
    }
}

/// By how much something of that size is made smaller, if it is large.
fn fit((width, height): (f64, f64)) -> f64 {
    (SIDE / width.max(height).max(1.0)).min(1.0)
}

/// Brightness of each pixel.
struct Picture {
    width: usize,
    height: usize,
    grey: Vec<u8>,
}

impl Picture {
    fn decode(&self) -> Option<String> {
        let mut decoder = Quirc::default();
        let mut codes = decoder.identify(self.width, self.height, &self.grey);
        let payload = codes.find_map(|code| code.ok()?.decode().ok())?.payload;
        String::from_utf8(payload).ok()
    }
}

/// Draws something of that size, and reads the pixels back.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes of pictures, at most 1600")]
fn draw(
    (width, height): (f64, f64),
    scale: f64,
    draw: impl FnOnce(&CanvasRenderingContext2d, (f64, f64)) -> Result<(), JsValue>,
) -> Result<Picture, JsValue> {
    let (width, height) = ((width * scale).max(1.0).round(), (height * scale).max(1.0).round());
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.dyn_into()?;
    canvas.set_width(width as u32);
    canvas.set_height(height as u32);
    let context = canvas.get_context("2d")?.ok_or(JsValue::NULL)?.dyn_into::<CanvasRenderingContext2d>()?;
    draw(&context, (width, height))?;
    let pixels = context.get_image_data(0.0, 0.0, width, height)?.data();
    // A transparent picture lies on white.
    let grey = pixels.chunks_exact(4).map(|pixel| brightness(pixel).saturating_add(255 - pixel[3])).collect();
    Ok(Picture { width: width as usize, height: height as usize, grey })
}

fn brightness(pixel: &[u8]) -> u8 {
    let sum: u16 = pixel[..3].iter().map(|&part| u16::from(part)).sum();
    u8::try_from(sum / 3).unwrap_or(u8::MAX)
}
