use authority::coverage::{self, Day};
use domain::Date;

use crate::staff::{add, nurse};
use crate::support::{PHONE, World, on_both_databases};

on_both_databases!(looking_at_the_trend_writes_nothing_and_counts_today, the_job_keeps_one_figure_a_day);

async fn trend(world: &World, by: &crate::support::Actor<'_>) -> Vec<Day> {
    let signed_in = by.signed_in().await;
    coverage::trend(&world.authority, signed_in.administrator().unwrap()).await.unwrap()
}

async fn looking_at_the_trend_writes_nothing_and_counts_today(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    add(&world, &ada, nurse("nina")).await;
    let today = Day { date: Date::of(world.authority.now()), members: 2, protected: 1, with_app: 0 };
    assert_eq!(trend(&world, &ada).await, [today]);
    assert_eq!(today.percent(), 50);
    assert_eq!(world.number("SELECT COUNT(*) FROM coverage").await, 0);
}

async fn the_job_keeps_one_figure_a_day(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    coverage::count(&world.authority).await.unwrap();
    add(&world, &ada, nurse("nina")).await;
    coverage::count(&world.authority).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM coverage").await, 1);
    assert_eq!(trend(&world, &ada).await.len(), 1, "today is there once");
    world.run("UPDATE coverage SET day = day - 1").await.unwrap();
    let days = trend(&world, &ada).await;
    assert_eq!(days.iter().map(|day| (day.members, day.protected)).collect::<Vec<_>>(), [(2, 1), (2, 1)]);
    assert!(days[0].date > days[1].date);
}
